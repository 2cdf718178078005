"""A chat with a full room: who loses a message, what a delivery costs, and what an idle person.

    python3 workshop.py bench chat [--quick] [--rounds N]

Our chat is measured beside the one that one writes first, with `write_message` to each, and
beside the same with `websockets` and with python-socketio. Each is a program of its own, and
the people are in this process, with bare sockets and frames made by hand.

First 2,000 people are in each room, and in every round some talk at once, until everybody has
heard everything, or a minute is over. It is counted for each person what they heard. The
server's processor time for a delivery is compared with that of the baseline in the same round,
and what is kept is the median of these ratios. Then 10,000 people come to each room in turn and
say nothing; what the server's memory grew by is shared among them, and a last message has to
reach them all. In our chat as many wait by long poll, too.

It takes some three minutes on a machine with two idle processors. With `--quick` the rooms are
small, and nothing is kept; otherwise the table is also written to
`benchmarks/results/chat.json`.
"""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, ExitStack

from classroom.measuring.people.crowd import Crowd, Ears, Trouble
from classroom.measuring.program import NotStarted, Program, program
from tools.machine import allow_open_files

from ._chat.figures import Idle, Talk, idle_rows_of, rows_of
from ._chat.polls import TEXT, answer_of, tell, waiting
from ._chat.servers import BASELINE, CHATS, OURS
from ._shared.command import end_when_told, one_or_more, parser
from ._shared.report import Row, about, keep

MINUTES = 2
IN_ALL = ("--rounds=3",)
PEOPLE, QUICK_PEOPLE = 2000, 200
IDLE, QUICK_IDLE = 10_000, 1000
ROUNDS, QUICK_ROUNDS = 7, 2
# Those who come before memory is measured, so that what the first one needs is not counted.
FIRST = 100
# How often some people talk in a round, and how many of them do so at once.
BURSTS, AT_ONCE = 2, 10
# Seconds until everybody must have heard what was said, and until all must be in the room.
HEARING, JOINING = 60.0, 120.0
# Seconds in which a server does what is left to do after a burst.
SETTLING = 0.1
# Seconds after which no further round is begun.
ENOUGH = 150.0
# Descriptors that are for other things than people.
SPARE = 100
LONG_POLL = f"{OURS}, by long poll"
PACKAGES = ("tornado", "websockets", "python-socketio", "python-engineio")


def served(mode: str) -> AbstractContextManager[Program]:
    """Run a chat as a program, which ends with the block, and with this process."""
    return program("benchmarks._chat.servers", mode, "--end-with-stdin")


class Room:
    """A chat with the people in it, and what was seen of it."""

    def __init__(self, ears: Ears, server: Program, mode: str) -> None:
        self.ears, self.server = ears, server
        self.crowd = Crowd(ears, server.port, CHATS[mode][1])
        self.talk = Talk()

    def round(self) -> None:
        """Have people talk, and note what they heard, and what a delivery cost."""
        talk, before, due = self.talk, self.server.cpu(), 0
        try:
            for _ in range(BURSTS):
                due += self.crowd.here * AT_ONCE
                self.burst(AT_ONCE)
            talk.cpu.append((self.server.cpu() - before) / due * 1e6)
        except Trouble as trouble:
            talk.error = str(trouble)
        talk.said, talk.lost = self.crowd.said, self.crowd.lost()
        talk.twice, talk.dropped = self.crowd.twice, self.crowd.dropped

    def burst(self, messages: int) -> None:
        """Have so many people talk at once.

        Raises:
            Trouble: somebody has not heard all of it in time.
        """
        crowd = self.crowd
        crowd.say(messages)
        came = self.ears.listen(lambda: crowd.due == 0, HEARING)
        self.ears.listen(lambda: False, SETTLING)
        if not came or crowd.dropped:
            raise Trouble(f"{crowd.lost()} people lost a message, {crowd.dropped} were dropped")

    def fill(self, people: int) -> None:
        """Let so many more people in.

        Raises:
            Trouble: they did not all come in.
        """
        self.crowd.join(people, JOINING)
        self.ears.listen(lambda: False, SETTLING)


def talks(people: int, rounds: int, left_out: dict[str, str]) -> dict[str, Talk]:
    """Have people talk in all chats, and return what was seen, by the mode.

    Args:
        people: how many there are in each room.
        rounds: how often.
        left_out: takes the modes that did not start, and why.
    """
    ears = Ears()
    rooms: dict[str, Room] = {}
    with ExitStack() as stack:
        # After the servers: who hangs up first keeps the port for a minute.
        crowds = stack.enter_context(ExitStack())
        for mode in CHATS:
            try:
                server = stack.enter_context(served(mode))
            except NotStarted as reason:
                left_out[mode] = str(reason)
                continue
            room = rooms[mode] = Room(ears, server, mode)
            crowds.callback(room.crowd.close)
            try:
                room.talk.people = people
                room.fill(people)
                # What is done only once is not counted.
                room.burst(1)
            except Trouble as trouble:
                room.talk.error = str(trouble)
        end = time.monotonic() + ENOUGH
        for turn in range(rounds):
            if turn and time.monotonic() > end:
                left_out["rounds"] = f"{turn} of {rounds} were made, since they took long"
                break
            say_turn(turn, rounds)
            modes = [mode for mode in rooms if not rooms[mode].talk.error]
            first = turn % len(modes) if modes else 0
            for mode in modes[first:] + modes[:first]:
                rooms[mode].round()
    return {mode: room.talk for mode, room in rooms.items()}


def idle(mode: str, people: int) -> Idle:
    """Have people come to a chat, say nothing, and hear one message; return what was seen.

    Raises:
        NotStarted: the chat did not start.
    """
    with ExitStack() as stack:
        # The server ends before its visitors leave, see `talks`.
        crowds = stack.enter_context(ExitStack())
        room = Room(Ears(), stack.enter_context(served(mode)), mode)
        crowds.callback(room.crowd.close)
        seen = Idle()
        try:
            room.fill(FIRST)
            before = room.server.memory()
            room.fill(people)
            seen.people = people
            seen.bytes = round((room.server.memory() - before) / people * 1e6)
            room.burst(1)
        except Trouble as trouble:
            seen.error = str(trouble)
        seen.lost = room.crowd.lost()
        return seen


def polling(people: int) -> Idle:
    """Have people wait by long poll, and hear one message; return what was seen.

    Raises:
        NotStarted: the chat did not start.
    """
    seen = Idle()
    with ExitStack() as stack:
        # The server ends before its visitors leave, see `talks`.
        visitors = stack.enter_context(ExitStack())
        server = stack.enter_context(served(OURS))
        try:
            crowd = visitors.enter_context(waiting(server.port, FIRST, HEARING))
            before = server.memory()
            crowd += visitors.enter_context(waiting(server.port, people, HEARING))
            seen.people = people
            seen.bytes = round((server.memory() - before) / people * 1e6)
            tell(server.port, HEARING)
            seen.lost = sum(TEXT.encode() not in answer_of(visitor) for visitor in crowd)
        except Trouble as trouble:
            seen.error = str(trouble)
    return seen


def say_turn(turn: int, rounds: int) -> None:
    """Say how far it is."""
    print(f"round {turn + 1} of {rounds}", file=sys.stderr, flush=True)


def idle_in_all(people: int, left_out: dict[str, str]) -> dict[str, Idle]:
    """Have people be idle in each chat, one after another, and return what was seen.

    Args:
        people: how many.
        left_out: takes the modes that did not start, and why.
    """
    seen = {}
    for mode in (*CHATS, LONG_POLL):
        print(f"{people} idle people: {mode}", file=sys.stderr, flush=True)
        try:
            seen[mode] = polling(people) if mode == LONG_POLL else idle(mode, people)
        except NotStarted as reason:
            left_out[mode] = str(reason)
    return seen


def that_fit(people: int, idle_people: int, left_out: dict[str, str]) -> tuple[int, int]:
    """Return how many people this process can be, of those who talk in a room and of the idle.

    Args:
        people: how many are wanted in each room.
        idle_people: how many are wanted who say nothing.
        left_out: takes why there are fewer.
    """
    # On Windows the limit is that of select().
    most = 500 if sys.platform == "win32" else allow_open_files()
    fit = min(people, int(min(most, 10**9) - SPARE) // len(CHATS))
    idle_fit = min(idle_people, int(min(most, 10**9)) - SPARE - FIRST)
    if (fit, idle_fit) != (people, idle_people):
        left_out["people"] = (
            f"{fit} in a room and {idle_fit} idle ones, and not {people} and {idle_people}:"
            f" a process may open {most} descriptors only"
        )
    return fit, idle_fit


def described(rounds: int, left_out: dict[str, str]) -> Row:
    """Return what was measured, and with what."""
    return about(
        *PACKAGES,
        rounds=rounds,
        at_once=AT_ONCE,
        beside=BASELINE,
        left_out=left_out,
        memory="By how much the process of a server grew while the people came, for each. What "
        "the system keeps for a connection is not in it.",
        compression="No client offers any.",
    )


def show(rows: list[Row], idle_rows: list[Row]) -> None:
    """Print the tables."""
    print(
        f"{'people who talk':24} {'people':>7} {'messages':>9} {'lost one':>9} {'dropped':>8}"
        f" {'CPU µs':>7} {'× plain':>8}  all within"
    )
    for row in rows:
        print(
            f"{row['mode']:24} {row['people']:7} {row['messages']:9} {row['lost']:9}"
            f" {row['dropped']:8} {_cut(row['cpu_us'], 7, 1)} {_cut(row['ratio'], 8, 2)}  "
            + (
                f"{row['ratio_lowest']:.2f} to {row['ratio_highest']:.2f}"
                if row["ratio"]
                else "-"
            )
        )
    print(f"\n{'people who are idle':24} {'people':>7} {'bytes each':>11} {'lost one':>9}")
    for row in idle_rows:
        print(
            f"{row['mode']:24} {row['people']:7} {_cut(row['bytes'], 11)}"
            f" {_cut(row['lost'], 9)}"
        )


def _cut(value: float | None, width: int, digits: int = 0) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:{width}.{digits}f}"


def main() -> None:
    """Measure, print the tables, and write them down."""
    options = parser("chat", __doc__)
    options.add_argument("--quick", action="store_true", help="small rooms, nothing is kept")
    options.add_argument("--rounds", type=one_or_more, help="how often all are measured")
    given = options.parse_args()
    end_when_told()
    left_out: dict[str, str] = {}
    wanted = (QUICK_PEOPLE, QUICK_IDLE) if given.quick else (PEOPLE, IDLE)
    people, idle_people = that_fit(*wanted, left_out)
    rounds = given.rounds or (QUICK_ROUNDS if given.quick else ROUNDS)
    talked = talks(people, rounds, left_out)
    rows = rows_of(talked, BASELINE)
    idle_rows = idle_rows_of(idle_in_all(idle_people, left_out))
    show(rows, idle_rows)
    if not given.quick:
        made = max((len(talk.cpu) for talk in talked.values()), default=0)
        said = described(made, left_out)
        keep("chat", {"about": said, "results": rows, "idle": idle_rows})
    for what in left_out.values():
        print(what, file=sys.stderr)
    errors = [row for row in (*rows, *idle_rows) if row["error"] or row["twice"]]
    for row in errors:
        print(f"{row['mode']}: {row['error'] or 'a message came twice'}", file=sys.stderr)
    if errors:
        sys.exit(1)


if __name__ == "__main__":
    main()
