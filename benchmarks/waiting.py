"""Who only waits: 10,000 long polls and 10,000 WebSockets, and what they cost a server.

    python3 workshop.py bench waiting [--quick] [--people N] [--rounds N]

A server is a program of its own, and the people are in this process, on bare sockets. They come
until all are there, say nothing, and wait; then something is said, and all hear it. It is
measured by how much the memory of the server grew, for each; how long it took until all were
there, and until all had heard; and how much processor time of the server that was, for each.
Tornado is measured beside aiohttp, and, where they have it, beside gevent and the package
`websockets`. In every round each has a new server, and ratios are those of a round.

It takes less than three minutes on a machine with two idle processors. With `--quick` there
are 1,000 people and one round, and nothing is kept; otherwise the tables are also written to
`benchmarks/results/waiting.json`.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from classroom.measured import Result
from classroom.measuring.people.crowd import Crowd, Ears
from classroom.measuring.people.dialects import Plain
from classroom.measuring.people.pollers import Pollers
from classroom.measuring.rounds import Figures, Row, in_rounds

from ._shared.command import one_or_more, parser
from ._shared.report import about, keep
from ._shared.rooms import (
    FIRST,
    JOINING,
    effort,
    heard,
    served,
    that_do_not_start,
    that_fit,
)

MINUTES = 2
IN_ALL = ("--rounds=2",)
PEOPLE, QUICK_PEOPLE = 10_000, 1000
ROUNDS, QUICK_ROUNDS = 5, 1
BASELINE = "Tornado"
POLLS, SOCKETS = "long polls", "WebSockets"
# What serves them, by how it is called.
ROOMS = {
    POLLS: {BASELINE: "tornado_room", "aiohttp": "aiohttp_room", "gevent": "gevent_room"},
    SOCKETS: {
        BASELINE: "tornado_room",
        "aiohttp": "aiohttp_room",
        "websockets": "websockets_room",
    },
}
COSTS = ("bytes", "opening_cpu_us", "telling_cpu_us")
TIMES = ("opening_seconds", "telling_seconds")
# Those who come, by how they wait.
PEOPLE_WHO: dict[str, Callable[[int], Pollers | Crowd]] = {
    POLLS: lambda port: Pollers(Ears(), port),
    SOCKETS: lambda port: Crowd(Ears(), port, Plain()),
}
PACKAGES = ("tornado", "aiohttp", "websockets", "gevent")


def wait(way: str, name: str, people: int) -> Figures:
    """Have people come, and wait for one message, and return what that took.

    Args:
        way: how they wait.
        name: the room.
        people: how many.

    Raises:
        Refused: they did not all wait, or hear it; or they were slower than the server.
    """
    with ExitStack() as stack:
        # The server ends before its visitors leave: who hangs up first keeps the port for a
        # minute.
        visitors = stack.enter_context(ExitStack())
        server = stack.enter_context(served(name))
        crowd = PEOPLE_WHO[way](server.port)
        visitors.callback(crowd.close)
        with effort(server):
            crowd.join(FIRST, JOINING)
        before = server.memory()
        with effort(server) as opening:
            crowd.join(people, JOINING)
        grown = server.memory() - before
        with effort(server) as telling:
            crowd.say(1)
            heard(crowd)
    return {
        "bytes": grown / people * 1e6,
        "opening_cpu_us": opening.cpu / people * 1e6,
        "telling_cpu_us": telling.cpu / (people + FIRST) * 1e6,
        "opening_seconds": opening.seconds,
        "telling_seconds": telling.seconds,
    }


def measure(people: int, rounds: int) -> list[Row]:
    """Measure all, and return a row for each way to wait and each server."""
    rows = []
    for way, rooms in ROOMS.items():
        missing = that_do_not_start(rooms)
        things = {
            mode: partial(wait, way, name, people)
            for mode, name in rooms.items()
            if mode not in missing
        }
        rows += in_rounds(things, rounds, name=way, warm_up=False).rows(BASELINE, group=way)
        rows += [{"group": way, "mode": mode, "left_out": missing[mode]} for mode in missing]
    return rows


def main() -> None:
    """Measure, print the tables, and write them down."""
    options = parser("waiting", __doc__)
    options.add_argument("--quick", action="store_true", help="few people, nothing is kept")
    options.add_argument("--people", type=one_or_more, help="how many wait")
    options.add_argument("--rounds", type=one_or_more, help="how often all are measured")
    given = options.parse_args()
    # An exit ends the servers too, and SIGTERM by itself would not.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    people, fewer = that_fit(given.people or (QUICK_PEOPLE if given.quick else PEOPLE))
    rounds = given.rounds or (QUICK_ROUNDS if given.quick else ROUNDS)
    rows = measure(people, rounds)
    said = about(
        *PACKAGES,
        baseline=BASELINE,
        load=f"{people} people on bare sockets, in one process",
        people=people,
        rounds=rounds,
        memory="By how much the process of a server grew while the people came, for each. What "
        "the system keeps for a connection is not in it.",
        **({"fewer": fewer} if fewer else {}),
    )
    result = {"about": said, "results": rows}
    for way in ROOMS:
        print(f"{people} {way}\n{Result(result).table(way, COSTS)}")
        print(f"{Result(result).table(way, TIMES)}\n")
    if not given.quick:
        keep("waiting", result)
    if fewer:
        print(fewer, file=sys.stderr)
    if any("refused" in row for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
