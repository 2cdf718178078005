"""Make the pages beside the deck: an index, the notebooks as they were run last, the papers.

Each page is one file without scripts, with its style inside, so that it can be published,
opened from a folder, or handed on by itself, and asks for nothing else. Nothing is run.
"""

from __future__ import annotations

import re
from pathlib import Path

from slides.looking import addresses
from slides.making.files import write
from slides.making.notebook import CannotBuild
from slides.making.page import home
from slides.making.page.lesson import read_notebook, read_paper
from slides.making.page.renderer import Renderer
from slides.making.page.site import INDEX, Site
from slides.paths import DECK, HANDOUT, NOTEBOOKS, THEN_AND_NOW


def build(folder: Path, notebooks: Path = NOTEBOOKS) -> Path:
    """Write all pages into a folder.

    Args:
        folder: where they go, beside the deck if that is there.
        notebooks: the folder of the notebooks. Each has a page, in the order of their names.

    Returns:
        Where the index is.

    Raises:
        CannotBuild: as `render` does; nothing is written then.
        OSError: a page cannot be written.
    """
    deck = DECK.name if (folder / DECK.name).is_file() else None
    pages = render(notebooks, deck, pdf_of(folder / deck) if deck else None)
    for name, html in pages.items():
        write(folder / name, html)
    # The page of a notebook that has a new name would still be found under the old one.
    for old in (folder / "notebooks").glob("*.html"):
        if f"notebooks/{old.name}" not in pages:
            old.unlink()
    return folder / INDEX


def render(
    notebooks: Path = NOTEBOOKS, deck: str | None = None, pdf: str | None = None
) -> dict[str, str]:
    """Return all pages as HTML, by their names in the folder. No file is written.

    Args:
        notebooks: the folder of the notebooks. Each has a page, in the order of their names.
        deck: the name of the deck in the folder of the pages, if it is there.
        pdf: the name of its PDF, if that is there.

    Raises:
        CannotBuild: a notebook was never run or has no title, a link leads nowhere, or a page
            would fetch something or run a script.
    """
    lessons = [read_notebook(path) for path in sorted(notebooks.glob("[!.]*.ipynb"))]
    if not lessons:
        raise CannotBuild(f"There are no notebooks in {notebooks}.")
    papers = [read_paper(path) for path in (THEN_AND_NOW, HANDOUT)]
    site = Site(
        {f"notebooks/{each.source.stem}.html": each for each in lessons},
        {f"{each.source.stem}.html": each for each in papers},
        deck,
    )
    renderer = Renderer(site)
    pages = {name: renderer.page(name) for name in site.pages}
    pages[INDEX] = renderer.index(home.context(site, pdf))
    for name, html in pages.items():
        if found := addresses.fetched(html) or re.findall(r"<script\b", html):
            raise CannotBuild(f"{name} would need more than itself: {found[0]}")
    return pages


def pdf_of(deck: Path) -> str | None:
    """Return the name of a deck's PDF, if it is there and not older than the deck."""
    pdf = deck.with_suffix(".pdf")
    if not pdf.is_file() or pdf.stat().st_mtime_ns < deck.stat().st_mtime_ns:
        return None
    return pdf.name
