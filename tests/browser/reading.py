"""The pages beside the deck, as a reader opens them."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, ViewportSize

from slides.paths import DECK

DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 375, "height": 740}

UNFOLD = "document.querySelectorAll('details').forEach(each => { each.open = true; })"


def all_of(folder: Path) -> list[Path]:
    """Return the pages in a folder, without the deck."""
    return sorted(path for path in folder.rglob("*.html") if path.name != DECK.name)


def show(page: Page, path: Path) -> None:
    """Open a page, and unfold all that is folded on it."""
    page.goto(path.as_uri())
    page.evaluate(UNFOLD)
