"""Upstreams that go wrong: what requests raises underneath the loop, and how soon.

    python3 workshop.py bench faults [--rounds N] [--engine NAME ...]

Each fault is asked for with stock requests, on a thread, and then with each engine, in turn, so
that a slow moment of the machine is a slow moment for all. What is kept is the exception, and
the median of the ratios of the times, engine to stock. An engine that raises another exception
makes the exit code 1. The table is printed, and written to `benchmarks/results/faults.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tornalet import run
from trequests import ENGINES, setup_session

from ._faults import FAULTS, Fault, ask, upstream

RESULTS = Path(__file__).with_name("results") / "faults.json"
STOCK = "stock"


async def once(engine: str, fault: Fault, url: str) -> tuple[str, float]:
    """Ask once, and return the name of what was raised, and the seconds until then."""
    start = time.perf_counter()
    if engine == STOCK:
        error = await asyncio.to_thread(ask, url, fault.options)
    else:
        with setup_session(engine=engine):
            error = await run(ask, url, fault.options)
    seconds = time.perf_counter() - start
    return type(error).__name__ if error else "an answer", seconds


async def measure(engines: list[str], rounds: int) -> list[dict[str, Any]]:
    """Return a row for each fault and engine."""
    rows = []
    for name, fault in FAULTS.items():
        found: dict[str, list[tuple[str, float]]] = {}
        for _ in range(rounds):
            for engine in (STOCK, *engines):
                async with upstream(fault) as url:
                    found.setdefault(engine, []).append(await once(engine, fault, url))
        for engine, several in found.items():
            pairs = zip(several, found[STOCK], strict=True)
            ratios = [mine / theirs for (_, mine), (_, theirs) in pairs]
            rows.append(
                {
                    "fault": name,
                    "engine": engine,
                    "raised": " or ".join(sorted({what for what, _ in several})),
                    "ms": round(statistics.median(s for _, s in several) * 1000, 1),
                    "ratio": round(statistics.median(ratios), 2),
                    "lowest": round(min(ratios), 2),
                    "highest": round(max(ratios), 2),
                }
            )
    return rows


def main() -> int:
    """Measure, print the table, write it down, and say whether the exceptions are the same."""
    parser = argparse.ArgumentParser(prog="workshop.py bench faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is asked for")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="only this engine")
    given = parser.parse_args()
    rows = asyncio.run(measure(given.engine or list(ENGINES), max(1, given.rounds)))
    print(f"{'fault':26} {'engine':8} {'raised':22} {'ms':>8} {'× stock':>8}  all within")
    stock: dict[str, str] = {}
    others = 0
    for row in rows:
        stock.setdefault(row["fault"], row["raised"])
        is_other = row["raised"] != stock[row["fault"]]
        others += is_other
        print(
            f"{row['fault']:26} {row['engine']:8} {row['raised']:22} {row['ms']:8.1f}"
            f" {row['ratio']:8.2f}  {row['lowest']:.2f} to {row['highest']:.2f}"
            f"{'  OTHER' if is_other else ''}"
        )
    about = {
        "python": platform.python_version(),
        "requests": version("requests"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "rounds": given.rounds,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"about": about, "results": rows}, indent=2) + "\n")
    return 1 if others else 0


if __name__ == "__main__":
    sys.exit(main())
