"""The Chromium of this machine, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Error, sync_playwright

from tools.machine import find_chromium

# Without these Chromium would ask for updates, and wait for a graphics card. Its sandbox does
# not start for root, nor in most containers; the pages shown are our own.
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoBrowser(Exception):
    """There is no Chromium here that starts; the message is a sentence that says what to do."""


@contextmanager
def chromium(*options: str) -> Iterator[Browser]:
    """Start the Chromium of this machine, and end it.

    Args:
        *options: for its command line, beside those in `OPTIONS`.

    Raises:
        NoBrowser: there is no Chromium on this machine, or it does not start.
    """
    path = find_chromium()
    if path is None:
        raise NoBrowser(
            "No Chromium, Chrome or Edge was found on this machine:"
            " install one of them, and run this again."
        )
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=path, args=[*OPTIONS, *options]
            )
        except Error as why:
            raise NoBrowser(
                f"{path} does not start: {why.message.strip().splitlines()[0]}"
            ) from None
        try:
            yield browser
        finally:
            browser.close()
