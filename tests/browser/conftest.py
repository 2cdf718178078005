"""A real Chromium for the tests in this folder, and the deck for it to look at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from slides.looking import axe
from slides.looking.browser import NoBrowser, chromium
from tests.built import the_deck

Opener = Callable[..., Page]

# Milliseconds: a page that has not come by then hangs, however busy the machine is.
PATIENCE = 600_000
expect.set_options(timeout=PATIENCE)

# For scripts that measure contrast: the parts of a colour, and the contrast of two, as WCAG
# defines it.
LIGHT = """
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
    const known = new Map();
    const rgba = colour => {
        if (!known.has(colour)) {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            known.set(colour, [...canvas.getImageData(0, 0, 1, 1).data]);
        }
        return known.get(colour);
    };
    const light = colour => {
        const [r, g, b] = rgba(colour).map(part => part / 255).map(
            part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (one, other) => {
        const [less, more] = [light(one), light(other)].sort((a, b) => a - b);
        return (more + 0.05) / (less + 0.05);
    };
"""


# For one module and not for the session: while it is open, Playwright keeps a loop running on
# this thread, and no other test could call asyncio.run().
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the Chromium of this machine; without one skip, or fail where CI=true."""
    try:
        with chromium() as started:
            new_context = started.new_context

            def patient(**options: Any) -> BrowserContext:
                context = new_context(**options)
                context.set_default_timeout(PATIENCE)
                return context

            started.new_context = patient  # type: ignore[method-assign]
            yield started
    except NoBrowser as reason:
        cannot(reason)


def cannot(reason: Exception) -> None:
    """Skip a test for what this machine lacks; fail where CI=true, since CI has everything."""
    if os.environ.get("CI") == "true":
        pytest.fail(str(reason))
    pytest.skip(str(reason))


@pytest.fixture(scope="session")
def chromium_is_here() -> None:
    """Skip without a Chromium, or fail where CI=true: for a program that starts one itself."""
    try:
        with chromium():
            pass
    except NoBrowser as reason:
        cannot(reason)


@pytest.fixture(scope="session")
def axe_is_here() -> None:
    """Skip without axe-core, or fail where CI=true."""
    try:
        axe.axe_core()
    except axe.NoAxe as reason:
        cannot(reason)


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opener]:
    """Open pages in a browser without a network; the arguments are Playwright's."""
    contexts = []

    def opener(**options: object) -> Page:
        contexts.append(browser.new_context(offline=True, **options))
        return contexts[-1].new_page()

    yield opener
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def deck(request: pytest.FixtureRequest) -> Path:
    """Build the deck, once for all tests that look at it."""
    return the_deck(request)
