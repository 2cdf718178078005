"""From what the rounds gave to rows of figures: medians, and ratios with their spread."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .world import Visit

BESIDE = "raw simple"
ALONE = "the world alone"
OURS = "trequests sockets"
# What ours is compared by, and with which modes.
COMPARED = {
    "cpu": (BESIDE, "200 threads", "200 threads, wide", "gevent", "gevent, wide"),
    "rps": ("200 threads", "200 threads, wide"),
}

Cell = tuple[int, int]  # delay in ms, how many at once
Row = dict[str, Any]


@dataclass
class Measured:
    """What one visit says of one mode: nothing, if there was an error."""

    rps: float | None = None
    cpu: float | None = None
    p50: float | None = None
    p99: float | None = None
    rss: float | None = None
    busy: float = 0.0
    error: str = ""

    @classmethod
    def of(cls, visit: Visit, rss: float | None) -> Measured:
        """Take from a visit what is wanted here."""
        return cls(
            visit.answers / visit.seconds,
            visit.server_cpu / visit.answers * 1e6 if visit.answers else None,
            visit.wait(0.5),
            visit.wait(0.99),
            rss,
            visit.world_cpu / visit.seconds,
        )


# What the rounds gave, for each cell and mode.
Rounds = dict[Cell, dict[str, list[Measured]]]


def median(values: Iterable[float | None], digits: int = 1) -> float | None:
    """Return the median, if every round has a value."""
    every = list(values)
    known = [value for value in every if value is not None]
    return round(statistics.median(known), digits) if known and known == every else None


def ratio(name: str, mine: list[Measured], others: list[Measured], of: str) -> Row:
    """Return the median of the ratios of all rounds, with the lowest and the highest."""
    pairs = [
        (getattr(one, of), getattr(other, of)) for one, other in zip(mine, others, strict=True)
    ]
    ratios = [one / other for one, other in pairs if one and other]
    if not ratios or len(ratios) < len(pairs):
        return {name: None, f"{name}_lowest": None, f"{name}_highest": None}
    return {
        name: round(statistics.median(ratios), 2),
        f"{name}_lowest": round(min(ratios), 2),
        f"{name}_highest": round(max(ratios), 2),
    }


def rows_of(measured: Rounds) -> tuple[list[Row], list[Row]]:
    """Return a row for each mode in each cell, and those of the world alone."""
    rows, alone = [], []
    for (delay, at_once), modes in measured.items():
        for mode, mine in modes.items():
            place = {"mode": mode, "latency_ms": delay, "concurrency": at_once}
            speed = {
                "rps": median(one.rps for one in mine),
                "cpu_us": median(one.cpu for one in mine),
            }
            if mode == ALONE:
                alone.append({**place, **speed})
                continue
            rows.append(
                {
                    **place,
                    **speed,
                    "p50_ms": median(one.p50 for one in mine),
                    "p99_ms": median(one.p99 for one in mine),
                    # A process keeps what it once had: the first round is the one without
                    # a memory of larger crowds.
                    "rss_mb": median(one.rss for one in mine[:1]),
                    **ratio("cpu_ratio", mine, modes[BESIDE], "cpu"),
                    **ratio("rps_ratio", mine, modes[BESIDE], "rps"),
                    "world_busy": round(max(one.busy for one in mine), 3),
                    "errors": [one.error for one in mine if one.error],
                }
            )
    return rows, alone


def comparisons_of(modes: dict[str, list[Measured]]) -> list[Row]:
    """Return how ours compares with those that it should stand beside."""
    return [
        {
            "of": of,
            "mode": OURS,
            "beside": other,
            **ratio("ratio", modes[OURS], modes[other], of),
        }
        for of, others in COMPARED.items()
        for other in others
        if OURS in modes and other in modes
    ]
