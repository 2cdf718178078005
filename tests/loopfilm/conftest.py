"""What the tests of loopfilm share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_trace() -> Iterator[None]:
    """After every test the loop's method is what it was."""
    original = asyncio.Handle._run
    yield
    assert asyncio.Handle._run is original
