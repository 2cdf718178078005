"""A Chromium of this machine, with no network, to look at pages with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from workshop import find_chromium

# Chromium would ask its makers for updates, and wait for a graphics card.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoBrowser(Exception):
    """There is no Chromium here, in a sentence that says what to do."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the Chromium of this machine, and end it.

    Raises:
        NoBrowser: none was found.
    """
    path = find_chromium()
    if path is None:
        raise NoBrowser(
            "No Chromium, Chrome or Edge was found on this machine:"
            " install one of them, and run this again."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        try:
            yield browser
        finally:
            browser.close()
