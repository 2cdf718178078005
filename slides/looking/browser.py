"""The Chromium of this machine, driven by Playwright."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserType, Error, sync_playwright

from tools.machine import find_chromium

# Without these Chromium would ask for updates, and wait for a graphics card.
OPTIONS = (
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
        browser = _launch(playwright.chromium, path, [*OPTIONS, *options])
        try:
            yield browser
        finally:
            browser.close()


def _launch(kind: BrowserType, path: str, options: list[str]) -> Browser:
    # Root cannot have the sandbox. Elsewhere it is left out only where Chromium does not start
    # with it, as in most containers; the pages shown are our own.
    is_root = sys.platform != "win32" and os.geteuid() == 0
    for sandbox in (False,) if is_root else (True, False):
        try:
            return kind.launch(executable_path=path, args=options, chromium_sandbox=sandbox)
        except Error as error:
            why = error.message.strip().splitlines()[0]
    raise NoBrowser(f"{path} does not start: {why}")
