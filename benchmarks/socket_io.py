"""Socket.IO, on Tornado, on gevent, and as an application of ASGI; and a plain WebSocket.

    python3 workshop.py bench socket_io [--quick] [--people N] [--rounds N]

"If you want socket.io support gevent has a better library", said the talk of 2013. Today one
library, python-socketio, serves on all of them. 1,000 people are in each room, on bare sockets
in this process; in every round some say something at once, until everybody has heard it all.
It is measured by the processor time of the server for each delivery, the seconds until all had
heard, and the bytes that came for each. Then 2,000 people come to a new room of each, and say
nothing: what the server's memory grew by is shared among them. All servers have TCP_NODELAY.

It takes less than three minutes on a machine with two idle processors. With `--quick` the rooms
are small, and nothing is kept; otherwise the tables are also written to
`benchmarks/results/socket_io.json`.
"""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack
from functools import partial

from classroom.measured import Result
from classroom.measuring.people.crowd import Crowd, Ears, Trouble
from classroom.measuring.people.dialects import Plain, SocketIO
from classroom.measuring.program import Program
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
PEOPLE, QUICK_PEOPLE = 1000, 200
IDLE, QUICK_IDLE = 2000, 300
ROUNDS, QUICK_ROUNDS = 7, 2
# For the idle, for whom each round has a new server.
IDLE_ROUNDS, QUICK_IDLE_ROUNDS = 3, 1
# How many say something at once, and how often in a round.
AT_ONCE, BURSTS = 10, 2
# Seconds in which a server does what is left to do after a burst.
SETTLING = 0.1
BASELINE, PLAIN = "Socket.IO on Tornado", "plain WebSocket on Tornado"
TALK, IDLE_PEOPLE = "people who talk", "people who listen"
ROOMS = {
    BASELINE: "socketio_tornado",
    "Socket.IO on gevent": "socketio_gevent",
    "Socket.IO on uvicorn": "socketio_uvicorn",
    PLAIN: "tornado_room",
}
# Descriptors that a server opens for one person: simple-websocket opens the socket once more.
EACH = 2
PACKAGES = (
    "tornado",
    "python-socketio",
    "python-engineio",
    "gevent",
    "simple-websocket",
    "uvicorn",
    "websockets",
)


def crowd_of(mode: str, server: Program, ears: Ears) -> Crowd:
    """Return the people of a room, of whom none has come yet."""
    return Crowd(ears, server.port, Plain() if mode == PLAIN else SocketIO())


def talk(server: Program, crowd: Crowd) -> Figures:
    """Have people talk, and return what a delivery took.

    Raises:
        Refused: somebody has not heard it all, or the people were slower than the server.
    """
    seconds = cpu = due = came = 0.0
    for _ in range(BURSTS):
        due += crowd.here * AT_ONCE
        before = crowd.received
        with effort(server) as talking:
            crowd.say(AT_ONCE)
            heard(crowd)
        came += crowd.received - before
        seconds += talking.seconds / BURSTS
        with effort(server) as settling:
            crowd.ears.listen(lambda: False, SETTLING)
        cpu += talking.cpu + settling.cpu
    return {"cpu_us": cpu / due * 1e6, "seconds": seconds, "bytes": came / due}


def listen(mode: str, people: int) -> Figures:
    """Have people come to a new room, and hear one message, and return what that took.

    Raises:
        Refused: they did not all come, or hear it; or they were slower than the server.
    """
    with ExitStack() as stack:
        # The server ends before its visitors leave: who hangs up first keeps the port for a
        # minute.
        visitors = stack.enter_context(ExitStack())
        server = stack.enter_context(served(ROOMS[mode]))
        crowd = crowd_of(mode, server, Ears())
        visitors.callback(crowd.close)
        with effort(server):
            crowd.join(FIRST, JOINING)
        before = server.memory()
        with effort(server) as opening:
            crowd.join(people, JOINING)
        grown = server.memory() - before
        with effort(server):
            crowd.say(1)
            heard(crowd)
    return {
        "bytes": grown / people * 1e6,
        "opening_cpu_us": opening.cpu / people * 1e6,
        "opening_seconds": opening.seconds,
    }


def talks(modes: list[str], people: int, rounds: int) -> list[Row]:
    """Have people talk in all rooms, and return a row for each."""
    ears = Ears()
    with ExitStack() as stack:
        # See `listen`.
        visitors = stack.enter_context(ExitStack())
        things, refused = {}, {}
        for mode in modes:
            server = stack.enter_context(served(ROOMS[mode]))
            crowd = crowd_of(mode, server, ears)
            visitors.callback(crowd.close)
            try:
                crowd.join(people, JOINING)
                things[mode] = partial(talk, server, crowd)
            except Trouble as trouble:
                refused[mode] = str(trouble)
        rows = in_rounds(things, rounds, name=TALK).rows(BASELINE, group=TALK)
    return rows + [{"group": TALK, "mode": mode, "refused": refused[mode]} for mode in refused]


def measure(people: int, idle: int, rounds: int, idle_rounds: int) -> list[Row]:
    """Measure all, and return a row for each room, with people who talk and who listen."""
    missing = that_do_not_start(ROOMS)
    modes = [mode for mode in ROOMS if mode not in missing]
    rows = talks(modes, people, rounds)
    things = {mode: partial(listen, mode, idle) for mode in modes}
    seen = in_rounds(things, idle_rounds, name=IDLE_PEOPLE, warm_up=False)
    rows += seen.rows(BASELINE, group=IDLE_PEOPLE)
    return rows + [
        {"group": group, "mode": mode, "left_out": reason}
        for group in (TALK, IDLE_PEOPLE)
        for mode, reason in missing.items()
    ]


def main() -> None:
    """Measure, print the tables, and write them down."""
    options = parser("socket_io", __doc__)
    options.add_argument("--quick", action="store_true", help="small rooms, nothing is kept")
    options.add_argument("--people", type=one_or_more, help="how many are in a room, and idle")
    options.add_argument("--rounds", type=one_or_more, help="how often all are measured")
    given = options.parse_args()
    # An exit ends the servers too, and SIGTERM by itself would not.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    wanted = (QUICK_PEOPLE, QUICK_IDLE) if given.quick else (PEOPLE, IDLE)
    if given.people:
        wanted = given.people, given.people
    people, fewer = that_fit(wanted[0], rooms=len(ROOMS), each=EACH)
    idle, fewer_idle = that_fit(wanted[1], each=EACH)
    rounds = given.rounds or (QUICK_ROUNDS if given.quick else ROUNDS)
    idle_rounds = min(rounds, QUICK_IDLE_ROUNDS if given.quick else IDLE_ROUNDS)
    rows = measure(people, idle, rounds, idle_rounds)
    said = about(
        *PACKAGES,
        baseline=BASELINE,
        load="people on bare sockets, in one process",
        people=people,
        idle=idle,
        at_once=AT_ONCE,
        rounds=rounds,
        rounds_of={IDLE_PEOPLE: idle_rounds},
        memory="By how much the process of a server grew while the people came, for each. What "
        "the system keeps for a connection is not in it.",
        compression="No client offers any.",
    )
    reasons = list(filter(None, [fewer, fewer_idle]))
    if reasons:
        said["fewer"] = reasons
    result = {"about": said, "results": rows}
    print(f"{people} {TALK}\n{Result(result).table(TALK)}\n")
    print(f"{idle} {IDLE_PEOPLE}\n{Result(result).table(IDLE_PEOPLE)}")
    if not given.quick:
        keep("socket_io", result)
    for reason in reasons:
        print(reason, file=sys.stderr)
    if any("refused" in row for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
