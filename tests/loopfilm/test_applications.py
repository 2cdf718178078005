"""Of every sort of application the film says what somebody would say who watched."""

from __future__ import annotations

import asyncio

import pytest

from loopfilm import sampling
from tests.loopfilm.applications import CASES, looks
from tests.loopfilm.servers import clock

pytestmark = pytest.mark.usefixtures("measured_by_hand")


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody looks more often than on a clock on the wall, and counts it."""
    monkeypatch.setattr(sampling, "MOST", 0.01)
    monkeypatch.setattr(sampling, "place_of_thread", looks)
    # A clock that has just been started knows no pauses.
    clock.now += 1


@pytest.mark.parametrize("name", CASES)
def test_what_the_film_says_is_so(name: str) -> None:
    make, text, held = CASES[name]
    f = asyncio.run(make())
    assert str(f) == text
    assert [f"{hold.lane}: {hold.call}" for hold in f.held_at] == held
    lanes = dict.fromkeys(hold.lane for hold in f.held_at if hold.lane != "other work")
    assert f.held == list(lanes)
