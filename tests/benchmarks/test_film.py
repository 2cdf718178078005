"""What a film costs is measured, and kept, in rows that say the same."""

from __future__ import annotations

import asyncio
import json

import pytest

from benchmarks import film
from benchmarks._shared.report import result_file
from classroom.measured import result


def test_what_is_kept_is_what_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for size in ("TURNS", "REQUESTS"):
        monkeypatch.setattr(film, size, 2)
    measured = asyncio.run(film.measure(rounds=2))
    kept = json.loads(result_file("film").read_text(encoding="utf-8"))["results"]
    assert [(row["group"], row["mode"]) for row in kept] == [
        (row["group"], row["mode"]) for row in measured
    ]
    for row, other in zip(kept, measured, strict=True):
        assert row["cpu_us"].keys() == other["cpu_us"].keys()
        low, high = row["cpu_us"]["quartiles"]
        assert low <= row["cpu_us"]["ratio"] <= high


def test_an_application_that_nobody_films_costs_what_it_did() -> None:
    """It is what `handler` promises; what is measured differs by a few hundredths."""
    kept = result("film")
    low, high = kept.within("a request, where films can be made", "with", "cpu_us")
    assert low < 1.05
    assert high > 0.95
