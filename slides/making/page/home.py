"""What is on the index: the talk, the notebooks, the papers."""

from __future__ import annotations

import re
import tomllib
from html import escape

import nbformat

from slides.making import deck
from slides.making.files import read_text
from slides.making.inline import with_pictures
from slides.making.page.filters import as_data
from slides.making.page.site import INDEX, TITLE, Site
from slides.paths import NOTEBOOK, PICTURES, ROOT, SLIDES
from tools.address import address

# The films of README.md, each with the sentence above it.
FILMS = {
    "blocking": "Code that blocks. Each of them in turn has the thread, and the others wait:",
    "coroutines": "The same task with `await`. All three wait, and none of them for another:",
}
PAPERS = {
    "then_and_now": "what became of everything that the talk of 2013 names.",
    "handout": "two pages, with the words, the rules, and what to do when a cell hangs.",
}
NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def context(site: Site, pdf: str | None) -> dict[str, object]:
    """Return the variables of the template `home.html.j2`.

    Args:
        site: the pages.
        pdf: the name of the deck's PDF, if it is there.

    Raises:
        CannotBuild: a picture is not there.
    """
    talk = nbformat.read(NOTEBOOK, as_version=4)
    number = len(site.lessons)
    return {
        "title": TITLE,
        "navigation": site.navigation(INDEX),
        "drawing": drawing(talk.cells[0].source),
        "films": [{"words": words, **film(name)} for name, words in FILMS.items()],
        "how_many": NUMBERS[number] if number < len(NUMBERS) else number,
        "deck": site.deck,
        "pdf": pdf,
        "slides": len([*deck.slides(talk)]),
        "minutes_of_talk": sum(cell.metadata.get("minutes", 0) for cell in talk.cells),
        "lessons": site.lessons,
        "papers": [
            {"page": page, "name": site.name(page), "about": PAPERS[paper.source.stem]}
            for page, paper in site.papers.items()
        ],
        "python": oldest_python(),
        "address": address(),
    }


def drawing(first_slide: str) -> str:
    """Return the drawing on the first slide as a part of the page, or nothing without one.

    Args:
        first_slide: its first cell, in Markdown.
    """
    found = re.search(r"!\[([^]]*)\]\((\S+\.svg)\)", first_slide)
    if found is None:
        return ""
    return with_pictures(f'<img src="{found[2]}" alt="{escape(found[1])}">', SLIDES)


def film(name: str) -> dict[str, str]:
    """Return the address of a film, which has the picture as data, and its alt text.

    Args:
        name: of its file in `slides/pictures/`.
    """
    source = PICTURES / f"{name}.svg"
    address = as_data(source, source.name)
    label = re.search(r'aria-label="([^"]*)"', read_text(source))
    return {"address": address, "alt": label[1] if label else ""}


def oldest_python() -> str:
    """Return the oldest Python that the kit runs on, as in "3.11"."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["requires-python"]).removeprefix(">=")
