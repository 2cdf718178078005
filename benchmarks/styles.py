"""The task in four styles: requests a second, and processor time, beside the one that blocks.

    python3 workshop.py bench styles [--rounds N] [--quick]

Each style runs as a program of its own, and so does the backend, which takes 50 ms for each
answer. Eight visitors come one after another, then fifty at once. In every round all styles are
measured in turn, so that a slow moment of the machine is a slow moment for all of them; what is
kept is the median of the ratios of a round. The table is printed, and written to
`benchmarks/results/styles.json`.

Callbacks and coroutines ask their three questions at once, the other two one after another: so
the first two are quicker for a single visitor already. `cpu_us` is the processor time of the
server for an answer. The visitors are in this process; where they, or the backend, were busy
nearly all of the time, a style is refused, since it may have been they who were slow. With
`--quick` there are two rounds, and nothing is kept.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from functools import partial

import psutil  # type: ignore[import-untyped]
from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from classroom.measured import Result
from classroom.measuring.load import TOO_BUSY
from classroom.measuring.program import Program, program
from classroom.measuring.rounds import Figures, Refused, in_rounds

from ._shared.command import end_when_told, one_or_more, parser
from ._shared.report import Row, about, keep

MINUTES = 2
BASELINE = "blocking"
STYLES = (BASELINE, "callbacks", "coroutines", "greenlets")
BACKEND_DELAY = 0.05  # seconds
# How many visitors are there at once, and how many come in all.
CROWDS = {1: 8, 50: 50}
ROUNDS, QUICK_ROUNDS = 5, 2
LOAD = "Tornado's client, in one process"


def group(at_once: int) -> str:
    """Return how the result calls a crowd."""
    return f"{at_once} at once"


async def visit(server: Program, backend: Program, at_once: int, in_all: int) -> Figures:
    """Let a crowd come to a server, and return what that took.

    Args:
        server: it.
        backend: what it asks.
        at_once: how many visitors are there at once.
        in_all: how many come.

    Raises:
        Refused: somebody got no answer; or the visitors, or the backend, may have been slower
            than the server.
    """
    client = AsyncHTTPClient(force_instance=True, max_clients=at_once)
    asked, ours = backend.cpu(), time.process_time()
    before, start = server.whole_cpu(), time.perf_counter()
    visits = [
        client.fetch(f"{server.url}/resources/?user=person{n}", request_timeout=60)
        for n in range(in_all)
    ]
    try:
        await asyncio.gather(*visits)
    except (HTTPClientError, OSError) as error:
        raise Refused(f"somebody got no answer: {error}") from None
    finally:
        client.close()
    seconds = time.perf_counter() - start
    used = server.whole_cpu() - before
    refuse_if_busy("the visitors were", (time.process_time() - ours) / seconds)
    refuse_if_busy("the backend was", (backend.cpu() - asked) / seconds)
    return {"rps": in_all / seconds, "cpu_us": used / in_all * 1e6}


def refuse_if_busy(who: str, busy: float) -> None:
    """Refuse what was measured while something else may have been what was slow.

    Args:
        who: what else, and its verb.
        busy: the share of a processor that it used.

    Raises:
        Refused: that was nearly all of one.
    """
    if busy > TOO_BUSY:
        raise Refused(f"{who} busy for {busy:.0%} of the time, and may be slower")


def measured(server: Program, backend: Program, at_once: int, in_all: int) -> Figures:
    """Do the same on a loop of its own.

    Raises:
        Refused: as `visit` does, or something has ended.
    """
    try:
        return asyncio.run(visit(server, backend, at_once, in_all))
    except psutil.NoSuchProcess:
        raise Refused("it has ended, or its backend has") from None


def measure(rounds: int) -> list[Row]:
    """Measure all styles, and return a row for each style and crowd.

    Args:
        rounds: how often.

    Raises:
        NotStarted: a style or the backend did not start.
    """
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
                style: partial(measured, server, backend, at_once, in_all)
                for style, server in servers.items()
            }
            seen = in_rounds(things, rounds, name=group(at_once), warm_up=at_once == 1)
            rows += seen.rows(BASELINE, group=group(at_once))
    return rows


def main() -> None:
    """Measure, print the tables, and write them down."""
    options = parser("styles", __doc__)
    options.add_argument(
        "--rounds", type=one_or_more, help=f"how often all are measured; {ROUNDS}"
    )
    options.add_argument("--quick", action="store_true", help="two rounds; nothing is kept")
    given = options.parse_args()
    end_when_told()
    rounds = given.rounds or (QUICK_ROUNDS if given.quick else ROUNDS)
    rows = measure(rounds)
    said = about(
        "tornado",
        baseline=BASELINE,
        load=LOAD,
        backend_ms=BACKEND_DELAY * 1000,
        rounds=rounds,
    )
    result = {"about": said, "results": rows}
    for at_once in CROWDS:
        print(f"\n{group(at_once)}\n{Result(result).table(group(at_once))}")
    if not given.quick:
        keep("styles", result)


if __name__ == "__main__":
    main()
