"""Make the pages beside the deck: an index, the notebooks as they were run last, the papers.

Each page is one file without scripts, with its style inside, so that it can be published,
opened from a folder, or handed on by itself, and asks for nothing else. Nothing is run.
"""

from __future__ import annotations

import re
from pathlib import Path

from slides.looking import addresses
from slides.making.notebook import CannotBuild
from slides.making.page import home
from slides.making.page.lesson import read_notebook, read_paper
from slides.making.page.press import Press
from slides.making.page.site import INDEX, Site
from slides.paths import DECK, NOTEBOOKS, SLIDES

PAPERS = (SLIDES / "then_and_now.md", NOTEBOOKS / "handout.md")


def build(folder: Path, notebooks: Path = NOTEBOOKS) -> Path:
    """Make all pages, from what stands in the notebooks.

    Args:
        folder: where they go, beside the deck if that is there.
        notebooks: the folder of the notebooks. Each has a page, in the order of their names.

    Returns:
        Where the index is.

    Raises:
        CannotBuild: a notebook was never run or has no title, a link leads nowhere, or a page
            would fetch something or run a script.
    """
    lessons = [read_notebook(path) for path in sorted(notebooks.glob("*.ipynb"))]
    if not lessons:
        raise CannotBuild(f"There are no notebooks in {notebooks}.")
    papers = [read_paper(path) for path in PAPERS]
    site = Site(
        {f"notebooks/{each.source.stem}.html": each for each in lessons},
        {f"{each.source.stem}.html": each for each in papers},
        DECK.name if (folder / DECK.name).is_file() else None,
    )
    press = Press(site)
    made = {name: press.page(name) for name in site.pages}
    made[INDEX] = press.index(home.names(site, folder))
    for name, html in made.items():
        if found := addresses.addresses(html) or re.findall(r"<script\b", html):
            raise CannotBuild(f"{name} would need more than itself: {found[0]}")
    for name, html in made.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(html, encoding="utf-8", newline="\n")
    # What was renamed would be found by whoever comes to the old name.
    for old in (folder / "notebooks").glob("*.html"):
        if f"notebooks/{old.name}" not in made:
            old.unlink()
    return folder / INDEX
