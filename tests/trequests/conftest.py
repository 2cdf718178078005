"""What the tests of `trequests` share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="package", autouse=True)
def little_to_collect() -> Iterator[None]:
    """Take what was there before out of each garbage collection, which many tests ask for."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
