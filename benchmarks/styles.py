"""The task in four styles: requests a second, beside the one that blocks.

    python3 workshop.py bench styles [--rounds N]

Each style runs as a program of its own, and so does the backend, which takes 50 ms for each
answer. Eight visitors come one after another, then fifty at once. In every round all styles are
measured in turn, so that a slow moment of the machine is a slow moment for all of them; what is
kept is the median of the ratios of a round. The table is printed, and written to
`benchmarks/results/styles.json`.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import ExitStack

from tornado.httpclient import AsyncHTTPClient

from classroom.measuring.program import program
from classroom.measuring.ratios import Ratios

from ._shared.command import one_or_more, parser
from ._shared.report import Row, about, keep

STYLES = ("blocking", "callbacks", "coroutines", "greenlets")
BACKEND_DELAY = 0.05  # seconds
# How many visitors are there at once, and how many come in all.
CROWDS = {1: 8, 50: 50}


async def rate(url: str, at_once: int, in_all: int) -> float:
    """Return how many requests a second a server answers."""
    client = AsyncHTTPClient(force_instance=True, max_clients=at_once)
    start = time.perf_counter()
    visits = [client.fetch(f"{url}/resources/?user=person{n}") for n in range(in_all)]
    await asyncio.gather(*visits)
    seconds = time.perf_counter() - start
    client.close()
    return in_all / seconds


async def measure(rounds: int) -> list[Row]:
    """Measure all styles, and return a row for each style and crowd."""
    rates: dict[tuple[str, int], list[float]] = {}
    common = ["--port=0", "--logging=error"]
    with ExitStack() as stack:
        backend = stack.enter_context(
            program("stormy_demo.backend", *common, f"--delay={BACKEND_DELAY}")
        )
        # With the blocking style the last of fifty visitors waits for the 49 before.
        common += ["--deadline=60", f"--backend={backend.url}"]
        urls = {
            style: stack.enter_context(program(f"stormy_demo.{style}", *common)).url
            for style in STYLES
        }
        for url in urls.values():
            await rate(url, 1, 1)
        for _ in range(rounds):
            for at_once, in_all in CROWDS.items():
                for style, url in urls.items():
                    measured = await rate(url, at_once, in_all)
                    rates.setdefault((style, at_once), []).append(measured)
    rows = []
    for (style, at_once), mine in rates.items():
        ratios = Ratios.of(mine, rates["blocking", at_once])
        rows.append(
            {
                "style": style,
                "at_once": at_once,
                "rps": round(statistics.median(mine), 1),
                "ratio": ratios.median,
                "lowest": ratios.lowest,
                "highest": ratios.highest,
            }
        )
    return rows


def main() -> None:
    """Measure, print the table, and write it down."""
    options = parser("styles", __doc__)
    options.add_argument(
        "--rounds", type=one_or_more, default=5, help="how often all are measured"
    )
    rounds = options.parse_args().rounds
    rows = asyncio.run(measure(rounds))
    print(f"{'style':12} {'at once':>8} {'requests/s':>11} {'× blocking':>11}  all within")
    for row in rows:
        print(
            f"{row['style']:12} {row['at_once']:8} {row['rps']:11.1f} {row['ratio']:11.2f}"
            f"  {row['lowest']:.2f} to {row['highest']:.2f}"
        )
    said = about("tornado", backend_ms=BACKEND_DELAY * 1000, rounds=rounds)
    keep("styles", {"about": said, "results": rows})


if __name__ == "__main__":
    main()
