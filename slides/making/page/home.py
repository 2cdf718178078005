"""What is on the index: the talk, the notebooks, the papers."""

from __future__ import annotations

import re
import tomllib
from html import escape
from pathlib import Path

import nbformat

from slides.making import deck
from slides.making.inline import with_pictures
from slides.making.page.body import as_data
from slides.making.page.site import INDEX, TITLE, Site
from slides.paths import NOTEBOOK, PICTURES, PROJECT, SLIDES

FILMS = {
    "blocking": "Code that blocks. Each of them in turn has the thread, and the others wait:",
    "coroutines": "The same task with `await`. All three wait, and none of them for another:",
}
PAPERS = {
    "then_and_now": "what became of everything that the talk of 2013 names.",
    "handout": "two pages, with the words, the rules, and what to do when a cell hangs.",
}
WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def names(site: Site, folder: Path) -> dict[str, object]:
    """Return what the template `home.html.j2` asks for.

    Args:
        site: the pages.
        folder: where the deck and its PDF are, if they are.

    Raises:
        CannotBuild: a picture is not there.
    """
    talk = nbformat.read(NOTEBOOK, as_version=4)
    number = len(site.lessons)
    return {
        "title": TITLE,
        "ways": site.ways(INDEX),
        "drawing": drawing(talk.cells[0].source),
        "films": [{"words": words, **film(name)} for name, words in FILMS.items()],
        "how_many": WORDS[number] if number < len(WORDS) else number,
        "deck": site.slides,
        "pdf": site.slides and printed(folder / site.slides),
        "slides": len([*deck.slides(talk)]),
        "minutes_of_talk": sum(cell.metadata.get("minutes", 0) for cell in talk.cells),
        "lessons": site.lessons,
        "papers": [
            {"page": page, "name": site.name(page), "about": PAPERS[paper.source.stem]}
            for page, paper in site.papers.items()
        ],
        "python": python(),
    }


def printed(made: Path) -> str | None:
    """Return the name of a deck's PDF, if it is there and not older than the deck."""
    pdf = made.with_suffix(".pdf")
    if not pdf.is_file() or pdf.stat().st_mtime_ns < made.stat().st_mtime_ns:
        return None
    return pdf.name


def drawing(first_slide: str) -> str:
    """Return the drawing on the first slide, as a part of the page; or nothing."""
    found = re.search(r"!\[([^]]*)\]\((\S+\.svg)\)", first_slide)
    if found is None:
        return ""
    return with_pictures(f'<img src="{found[2]}" alt="{escape(found[1])}">', SLIDES)


def film(name: str) -> dict[str, str]:
    """Return a film of the README as data, and the sentence that it says of itself."""
    source = PICTURES / f"{name}.svg"
    address = as_data(source, source.name)
    says = re.search(r'aria-label="([^"]*)"', deck.text(source))
    return {"address": address, "alt": says[1] if says else ""}


def python() -> str:
    """Return the oldest Python that the kit runs on."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["requires-python"]).removeprefix(">=")
