"""One process and two at one port, and one that computes in a pool: what a second one gives.

    python3 workshop.py bench processes [--rounds N] [--quick]

`hello` keeps a loop busy with requests alone. `work` computes some milliseconds in plain Python
for each answer, `digest` the same in C, which lets go of the interpreter's lock; both on the
loop, in two threads, in two processes that share the port, and in a pool of two processes.
`waits` asks a backend that takes 20 ms, for eight who visit: no loop is busy then.

`cpu_us` is the processor time of an answer, of all processes of the server; `processors` is how
many of them were at work on average; `load_processors` is the same of what asks, which has to
share the machine. With `--quick` there is one short round, and nothing is kept.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from urllib.request import urlopen

import psutil  # type: ignore[import-untyped]

from classroom.measured.results import Result
from classroom.measuring.load import load_generator, visit
from classroom.measuring.program import Program, program
from classroom.measuring.rounds import Figures, Measure, Refused, in_rounds
from stormy_demo.batteries.prefork import HAS_FORK

from ._processes.ways import BASELINE, GROUPS, WAYS, Group
from ._shared.command import end_when_told, one_or_more, parser
from ._shared.report import Row, about, keep

MINUTES = 2
IN_ALL = ("--rounds=3",)
SERVER = "stormy_demo.peers.tornado_processes"
BACKEND_MS = 20
ROUNDS, SECONDS, QUICK_SECONDS = 9, 1, 1
PATIENCE = 60  # seconds until the first answer
SHOWN = ("cpu_us", "rps", "processors")  # what is printed; the rest is kept, too


def figures(server: Program, path: str, at_once: int, seconds: int) -> Figures:
    """Visit a server, and return what it took.

    Raises:
        Refused: it has ended, an answer was an error, or those who asked were the bottleneck.
    """
    try:
        before = server.whole_cpu()
        seen = visit(server.url + path, at_once=at_once, seconds=seconds)
        used = server.whole_cpu() - before
    except psutil.NoSuchProcess:
        raise Refused("it has ended") from None
    return {
        "cpu_us": used / seen.answers * 1e6,
        "rps": seen.rps,
        "p99_ms": seen.p99_ms,
        "processors": used / seen.seconds,
        "load_processors": seen.busy,
    }


def first_asked(server: Program, path: str, at_once: int, seconds: int) -> Measure:
    """Ask a server once, and return what measures it: `figures`, unless this went wrong."""
    try:
        # A pool starts its processes when they are wanted.
        urlopen(server.url + path, timeout=PATIENCE).close()
    except OSError as error:
        return partial(refuse, f"it gives no answer: {error}")
    return partial(figures, server, path, at_once, seconds)


def refuse(why: str) -> Figures:
    """Measure nothing.

    Raises:
        Refused: always.
    """
    raise Refused(why)


def measure(
    rounds: int, seconds: int, *, warm_up: bool = True, groups: dict[str, Group] = GROUPS
) -> list[Row]:
    """Measure each group in turn, and return its rows.

    Args:
        rounds: how often.
        seconds: for how long each is visited.
        warm_up: whether each is visited once before, which does not count.
        groups: what is measured.

    Raises:
        NotStarted: a server did not start.
    """
    rows = []
    with ExitStack() as stack:
        backend = stack.enter_context(
            program("stormy_demo.peers.upstream", "--port=0", f"--delay={BACKEND_MS}")
        )
        used = {way for group in groups.values() for way in group.ways}
        options = ("--port=0", f"--upstream={backend.url}")
        servers = {
            way: stack.enter_context(program(SERVER, *options, *WAYS[way]))
            for way in WAYS
            if way in used
        }
        for name, (path, at_once, ways) in groups.items():
            things = {way: first_asked(servers[way], path, at_once, seconds) for way in ways}
            seen = in_rounds(things, rounds, name=name, warm_up=warm_up)
            rows += seen.rows(BASELINE, group=name)
    return rows


def main() -> None:
    """Measure, print a table for each group, and write them down."""
    options = parser("processes", __doc__)
    options.add_argument(
        "--rounds", type=one_or_more, help=f"how often all are measured; {ROUNDS}"
    )
    options.add_argument("--quick", action="store_true", help="look, and keep nothing")
    given = options.parse_args()
    if not HAS_FORK:
        sys.exit("this system has no fork, and a process of it cannot become two")
    end_when_told()
    rounds = given.rounds or (1 if given.quick else ROUNDS)
    seconds = QUICK_SECONDS if given.quick else SECONDS
    rows = measure(rounds, seconds, warm_up=not given.quick)
    said = about(
        "tornado",
        baseline=BASELINE,
        load=load_generator(),
        rounds=rounds,
        pictured_figure="rps",
    )
    found = {"about": {**said, "backend_ms": BACKEND_MS}, "results": rows}
    for group in GROUPS:
        print(f"\n{group}\n{Result(found).table(group, SHOWN)}")
    if not given.quick:
        keep("processes", found)


if __name__ == "__main__":
    main()
