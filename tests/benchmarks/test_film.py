"""What a film costs is measured, and kept, in rows that say the same."""

from __future__ import annotations

import asyncio
import json

import pytest

from benchmarks import film
from benchmarks._shared.report import result_file


def test_what_is_kept_is_what_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for size in ("TURNS", "REQUESTS"):
        monkeypatch.setattr(film, size, 2)
    monkeypatch.setattr(film, "ROUNDS", 2)
    measured = asyncio.run(film.measure())
    kept = json.loads(result_file("film").read_text(encoding="utf-8"))["results"]
    assert [*kept] == [*measured]
    for name, row in kept.items():
        assert row.keys() == measured[name].keys()
        low, high = row["quartiles"]
        assert low <= row["ratio"] <= high


def test_an_application_that_nobody_films_costs_what_it_did() -> None:
    """It is what `handler` promises; what is measured differs by a few hundredths."""
    kept = json.loads(result_file("film").read_text(encoding="utf-8"))["results"]
    low, high = kept["a request, where films can be made"]["quartiles"]
    assert low < 1.05
    assert high > 0.95
