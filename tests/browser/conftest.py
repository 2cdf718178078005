"""A real Chromium for the tests in this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

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
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason))
