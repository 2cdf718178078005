"""From the figures of each round to rows: medians, and ratios with their spread."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from classroom.measuring.ratios import Ratios

from .._shared.report import Row
from .world import Visit

# The mode that all others are compared with.
BASELINE = "raw simple"
ALONE = "the world alone"
OURS = "trequests sockets"
# The figures by which ours is compared, each with the modes that it is compared with.
COMPARED = {
    "cpu": (BASELINE, "200 threads", "200 threads, wide", "gevent", "gevent, wide"),
    "rps": ("200 threads", "200 threads, wide"),
}

Cell = tuple[int, int, str]  # delay in ms, how many at once, the name of a `Kind`
USUAL = "a short answer"


@dataclass
class Measured:
    """The figures of one visit to the server of one mode; there are none after an error."""

    rps: float | None = None
    cpu: float | None = None  # µs for each answer
    p50: float | None = None  # ms
    p99: float | None = None  # ms
    rss: float | None = None  # MB
    busy: float = 0.0  # share of a processor that the world used
    error: str = ""

    @classmethod
    def of(cls, visit: Visit, rss: float | None) -> Measured:
        """Compute the figures of a visit; `rss` is in MB."""
        return cls(
            visit.answers / visit.seconds,
            visit.server_cpu / visit.answers * 1e6 if visit.answers else None,
            visit.wait(0.5),
            visit.wait(0.99),
            rss,
            visit.world_cpu / visit.seconds,
        )


# The figures of each round, for each cell and mode.
Rounds = dict[Cell, dict[str, list[Measured]]]


def median(values: Iterable[float | None], digits: int = 1) -> float | None:
    """Return the median, if every round has a value."""
    every = list(values)
    known = [value for value in every if value is not None]
    return round(statistics.median(known), digits) if known and known == every else None


def ratio(name: str, mine: list[Measured], others: list[Measured], of: str) -> Row:
    """Return the median of the ratios of all rounds, with the lowest and the highest.

    Args:
        name: what the keys begin with.
        mine: the rounds of one mode.
        others: those of the other one.
        of: which figure to compare. Where a round lacks it, there is no ratio.
    """
    values = [[getattr(one, of) for one in several] for several in (mine, others)]
    if not all(map(all, values)):
        return {name: None, f"{name}_lowest": None, f"{name}_highest": None}
    ratios = Ratios.of(*values)
    return {
        name: ratios.median,
        f"{name}_lowest": ratios.lowest,
        f"{name}_highest": ratios.highest,
    }


def rows_of(measured: Rounds) -> tuple[list[Row], list[Row]]:
    """Return a row for each mode in each cell, and a row for the world alone in each."""
    rows, alone = [], []
    for (delay, at_once, kind), modes in measured.items():
        for mode, mine in modes.items():
            place = {"mode": mode, "latency_ms": delay, "concurrency": at_once}
            if kind != USUAL:
                place["kind"] = kind
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
                    # A process keeps the memory that it once needed: only in the first round
                    # no larger crowd has been there.
                    "rss_mb": median(one.rss for one in mine[:1]),
                    **ratio("cpu_ratio", mine, modes[BASELINE], "cpu"),
                    **ratio("rps_ratio", mine, modes[BASELINE], "rps"),
                    "world_busy": round(max(one.busy for one in mine), 3),
                    "errors": [one.error for one in mine if one.error],
                }
            )
    return rows, alone


def comparisons_of(modes: dict[str, list[Measured]], kind: str = USUAL) -> list[Row]:
    """Return how ours compares with the modes of `COMPARED` that were measured."""
    return [
        {
            "of": of,
            "mode": OURS,
            "beside": other,
            **({} if kind == USUAL else {"kind": kind}),
            **ratio("ratio", modes[OURS], modes[other], of),
        }
        for of, others in COMPARED.items()
        for other in others
        if OURS in modes and other in modes
    ]
