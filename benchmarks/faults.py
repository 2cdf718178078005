"""Upstreams that go wrong: what requests raises underneath the loop, and how soon.

    python3 workshop.py bench faults [--quick] [--rounds N] [--engine NAME ...]

Each upstream is asked with stock requests, on a thread, and right after that with each engine,
so that a slow moment of the machine is a slow moment for all. What is kept is the exception,
and the median of the ratios of the times, engine to stock. An engine that raises another
exception than stock requests makes the exit code 1. The table is printed, and written to
`benchmarks/results/faults.json`. With `--quick` there is one round, and nothing is kept, nor is
it with some of the engines only.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time

from classroom.measuring.ratios import Ratios
from tornalet import run
from trequests import ENGINES, setup_session

from ._faults import FAULTS, Fault, ask, upstream
from ._shared.command import one_or_more, parser
from ._shared.report import Row, about, keep

STOCK = "stock"
MINUTES = 1
ROUNDS = 5


async def once(engine: str, fault: Fault, url: str) -> tuple[str, float]:
    """Make a request, and return the name of what was raised, and the seconds until then."""
    start = time.perf_counter()
    if engine == STOCK:
        error = await asyncio.to_thread(ask, url, fault.options)
    else:
        with setup_session(engine=engine):
            error = await run(ask, url, fault.options)
    seconds = time.perf_counter() - start
    return type(error).__name__ if error else "an answer", seconds


async def measure(engines: list[str], rounds: int) -> list[Row]:
    """Return a row for each fault and engine."""
    rows = []
    for name, fault in FAULTS.items():
        found: dict[str, list[tuple[str, float]]] = {}
        for _ in range(rounds):
            for engine in (STOCK, *engines):
                async with upstream(fault) as url:
                    found.setdefault(engine, []).append(await once(engine, fault, url))
        for engine, several in found.items():
            seconds = [each for _, each in several]
            ratios = Ratios.of(seconds, (each for _, each in found[STOCK]))
            rows.append(
                {
                    "group": name,
                    "mode": engine,
                    "raised": " or ".join(sorted({what for what, _ in several})),
                    "wait_ms": {
                        "median": round(statistics.median(seconds) * 1000, 1),
                        "ratio": ratios.median,
                        "lowest": ratios.lowest,
                        "highest": ratios.highest,
                    },
                }
            )
    return rows


def main() -> int:
    """Measure, print the table, write it down, and say whether the exceptions are the same."""
    options = parser("faults", __doc__)
    options.add_argument("--quick", action="store_true", help="one round, and keep nothing")
    options.add_argument("--rounds", type=one_or_more, help="how often each is asked")
    options.add_argument("--engine", choices=ENGINES, action="append", help="only this engine")
    given = options.parse_args()
    rounds = given.rounds or (1 if given.quick else ROUNDS)
    rows = asyncio.run(measure(given.engine or list(ENGINES), rounds))
    print(f"{'fault':26} {'engine':8} {'raised':22} {'ms':>8} {'× stock':>8}  all within")
    stock: dict[str, str] = {}
    others = 0
    for row in rows:
        stock.setdefault(row["group"], row["raised"])
        is_other = row["raised"] != stock[row["group"]]
        others += is_other
        wait = row["wait_ms"]
        print(
            f"{row['group']:26} {row['mode']:8} {row['raised']:22} {wait['median']:8.1f}"
            f" {wait['ratio']:8.2f}  {wait['lowest']:.2f} to {wait['highest']:.2f}"
            f"{'  OTHER' if is_other else ''}"
        )
    if not given.quick and not given.engine:
        said = about("requests", baseline=STOCK, pictured=[], rounds=rounds)
        keep("faults", {"about": said, "results": rows})
    return 1 if others else 0


if __name__ == "__main__":
    sys.exit(main())
