"""The task in four styles: requests a second, and processor time, beside the one that blocks.

    python3 workshop.py bench styles [--rounds N] [--quick]

Each style runs as a program of its own, and so does the backend, which takes 50 ms for each
answer. Eight visitors come one after another, then fifty at once. In every round all styles are
measured in turn, so that a slow moment of the machine is a slow moment for all of them; what is
kept is the median of the ratios of a round. The table is printed, and written to
`benchmarks/results/styles.json`.

Callbacks and coroutines ask their three questions at once, the other two one after another: so
the first two are quicker for a single visitor already. `cpu_us` is the processor time of the
server for an answer. With `--quick` there are two rounds, and nothing is kept.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from functools import partial

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from classroom.measured import Result
from classroom.measuring.program import Program, program
from classroom.measuring.rounds import Figures, Refused, in_rounds

from ._shared.command import one_or_more, parser
from ._shared.report import Row, about, keep

MINUTES = 2
BASELINE = "blocking"
STYLES = (BASELINE, "callbacks", "coroutines", "greenlets")
BACKEND_DELAY = 0.05  # seconds
# How many visitors are there at once, and how many come in all.
CROWDS = {1: 8, 50: 50}
QUICK_ROUNDS = 2


def group(at_once: int) -> str:
    """Return how the result calls a crowd."""
    return f"{at_once} at once"


async def visit(server: Program, at_once: int, in_all: int) -> Figures:
    """Let a crowd come to a server, and return what that took.

    Raises:
        Refused: somebody got no answer.
    """
    client = AsyncHTTPClient(force_instance=True, max_clients=at_once)
    before, start = server.whole_cpu(), time.perf_counter()
    visits = [
        client.fetch(f"{server.url}/resources/?user=person{n}", request_timeout=60)
        for n in range(in_all)
    ]
    try:
        await asyncio.gather(*visits)
    except HTTPClientError as error:
        raise Refused(f"somebody got no answer, but {error.code}") from None
    finally:
        client.close()
    seconds = time.perf_counter() - start
    return {
        "rps": in_all / seconds,
        "cpu_us": (server.whole_cpu() - before) / in_all * 1e6,
    }


def measured(server: Program, at_once: int, in_all: int) -> Figures:
    """Do the same on a loop of its own."""
    return asyncio.run(visit(server, at_once, in_all))


def measure(rounds: int) -> list[Row]:
    """Measure all styles, and return a row for each style and crowd."""
    rows: list[Row] = []
    common = ["--port=0", "--logging=error"]
    with ExitStack() as stack:
        backend = stack.enter_context(
            program("stormy_demo.backend", *common, f"--delay={BACKEND_DELAY}")
        )
        # With the blocking style the last of fifty visitors waits for the 49 before.
        common += ["--deadline=60", f"--backend={backend.url}"]
        servers = {
            style: stack.enter_context(program(f"stormy_demo.{style}", *common))
            for style in STYLES
        }
        for at_once, in_all in CROWDS.items():
            things = {
                style: partial(measured, server, at_once, in_all)
                for style, server in servers.items()
            }
            seen = in_rounds(things, rounds, name=group(at_once), warm_up=at_once == 1)
            rows += seen.rows(BASELINE, group=group(at_once))
    return rows


def main() -> None:
    """Measure, print the tables, and write them down."""
    options = parser("styles", __doc__)
    options.add_argument(
        "--rounds", type=one_or_more, default=5, help="how often all are measured"
    )
    options.add_argument("--quick", action="store_true", help="two rounds; nothing is kept")
    given = options.parse_args()
    rounds = min(given.rounds, QUICK_ROUNDS) if given.quick else given.rounds
    rows = measure(rounds)
    said = about("tornado", baseline=BASELINE, backend_ms=BACKEND_DELAY * 1000, rounds=rounds)
    result = {"about": said, "results": rows}
    for at_once in CROWDS:
        print(f"\n{group(at_once)}\n{Result(result).table(group(at_once))}")
    if not given.quick:
        keep("styles", result)


if __name__ == "__main__":
    main()
