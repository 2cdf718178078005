"""A real Chromium for the tests in this folder, and the deck for it to look at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from slides import deck as decks
from slides.browser import NoBrowser, chromium


# Not for the whole session: while it is open, Playwright keeps a loop running on this thread,
# and no other test could call asyncio.run().
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the Chromium of this machine; without one skip, or fail where CI=true."""
    try:
        with chromium() as started:
            yield started
    except NoBrowser as reason:
        cannot(reason)


def cannot(reason: Exception) -> None:
    """Skip what this machine cannot do, and say why; where CI=true fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(str(reason))
    pytest.skip(str(reason))


@pytest.fixture(scope="session")
def chromium_is_here() -> None:
    """Skip, or fail where CI=true, without a Chromium for a program that starts it itself."""
    try:
        with chromium():
            pass
    except NoBrowser as reason:
        cannot(reason)


@pytest.fixture(scope="session")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the deck, once for all tests that look at it."""
    return decks.build(output=tmp_path_factory.mktemp("deck") / "deck.html")
