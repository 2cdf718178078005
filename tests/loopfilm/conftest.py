"""What the tests of loopfilm share."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from loopfilm import (
    everywhere,
    filmed_loop,
    films,
    labelling,
    processor,
    recorder,
    steps,
    unwrapped,
)
from tests.loopfilm.servers import clock


@pytest.fixture(autouse=True)
def no_trace() -> Iterator[None]:
    """After every test the loop's method is what it was."""
    original = asyncio.Handle._run
    yield
    assert asyncio.Handle._run is original


@pytest.fixture(autouse=True)
def nobody_looks_at_the_collector() -> Iterator[None]:
    """Hypothesis has a function called at each collection, and a film would name that."""
    kept = gc.callbacks[:]
    gc.callbacks.clear()
    yield
    gc.callbacks[:] = kept


@pytest.fixture
def measured_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Films have `servers.clock` instead of the clock on the wall."""
    for module in (everywhere, filmed_loop, films, labelling, recorder, steps, unwrapped):
        monkeypatch.setattr(module, "time", clock)
    # What is measured by hand lacks no processor.
    monkeypatch.setattr(processor.Processor, "scheduled", lambda _: processor.UNKNOWN)
