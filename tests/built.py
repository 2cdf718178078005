"""The real deck and the real pages, which many tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from slides.making import deck, pages
from slides.paths import DECK
from tests.once import made_once


def the_deck(request: pytest.FixtureRequest) -> Path:
    """Return the deck, in a folder of its own."""
    folder = made_once(request, "deck", lambda folder: deck.build(output=folder / "deck.html"))
    return folder / "deck.html"


def the_pages(request: pytest.FixtureRequest) -> Path:
    """Return the folder of the pages, beside something in the place of the deck."""

    def make(folder: Path) -> None:
        (folder / DECK.name).write_text("<title>The deck</title>", encoding="utf-8")
        assert pages.build(folder) == folder / "index.html"

    return made_once(request, "pages", make)
