"""A server that stands still now and then, asked by who waits for it, and by who does not.

    python3 workshop.py bench queueing [--rounds N] [--quick]

In `stalls` a handler holds the loop for 300 ms, every second and a half; in `steady` none does.
A *closed loop* is a client, or eight of them, who ask again when they have their answer: while
the server stands still, they stand still, and of all that they ask, hardly anything waits. wrk
is a closed loop, too, and knows it: to each long wait it adds those that it has left out; its
mean, and its requests a second, are of what it has really asked. The *open loop* asks every
five milliseconds, whatever happens, and counts each wait from when the question was due.
`p99_ms` is within how long 99 of a hundred had their answer. In `steady` there is no queue:
what the open loop waits longer there is what asking on time adds by itself, and has to be
little beside a stall. It is late by up to `late_ms` (when that is too much, it is refused), and
a server that had nothing to do wakes up for each question. With `--quick` there is one short
round, and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from functools import partial

from classroom.measured.results import Result
from classroom.measuring.load import load_generator, visit
from classroom.measuring.open_loop import ask_on_time
from classroom.measuring.program import program
from classroom.measuring.rounds import Figures, Measure, Refused, in_rounds

from ._shared.command import end_when_told, one_or_more, parser
from ._shared.report import Row, about, keep

MINUTES = 2
IN_ALL = ("--rounds=3",)
SERVER = "benchmarks._queueing.server"
HOLD, EVERY = 0.3, 1.5  # seconds
GROUPS = {"stalls": HOLD, "steady": 0.0}
EACH_MS = 5.0
# A tenth of what is to be seen, where there is something.
LATE_MS = {"stalls": HOLD * 100, "steady": 10.0}
BASELINE, EIGHT = "closed loop, 1 client", "closed loop, 8 clients"
CORRECTED, OPEN = "closed loop, corrected by wrk", "open loop"
TRIES = 3  # of the open loop, until it is in time
ROUNDS, SECONDS, QUICK_SECONDS = 7, 2, 2
LOAD = "a client in Python"  # but for the row that wrk corrects
SHOWN = ("p99_ms", "p50_ms", "mean_ms")  # what is printed; the rest is kept, too


def closed(url: str, at_once: int, seconds: int, by_wrk: bool = False) -> Figures:
    """Ask in a closed loop: each client when it has its answer.

    Args:
        url: what is asked for.
        at_once: how many clients there are.
        seconds: for how long.
        by_wrk: whether wrk asks, which corrects `p99_ms` and `p50_ms`, and nothing else.

    Raises:
        Refused: an answer was no 200, none came, or the clients were the bottleneck.
    """
    seen = visit(url, at_once=at_once, seconds=seconds, by_wrk=by_wrk)
    return {
        "p99_ms": seen.p99_ms,
        "p50_ms": seen.p50_ms,
        # Each client waits all the time, for one answer after another.
        "mean_ms": at_once / seen.rps * 1e3,
        "rps": seen.rps,
    }


def on_time(url: str, late_ms: float, seconds: float, each_ms: float = EACH_MS) -> Figures:
    """Ask in an open loop: a question every so many milliseconds.

    Args:
        url: what is asked for.
        late_ms: how late one in a hundred questions may be; when more are, it is tried again.
        seconds: for how long.
        each_ms: after how many milliseconds the next question is due.

    Raises:
        Refused: an answer was no 200 or did not come, or the client was late each time.
    """
    times = round(seconds * 1e3 / each_ms)
    for _ in range(TRIES - 1):
        # A busy moment of the machine makes the client late, and says nothing of the server.
        with suppress(Refused):
            seen = ask_on_time(url, times=times, each_ms=each_ms, late_ms=late_ms)
            break
    else:
        seen = ask_on_time(url, times=times, each_ms=each_ms, late_ms=late_ms)
    last = max(answered for _, answered in seen.times)
    return {
        "p99_ms": seen.part_ms(0.99),
        "p50_ms": seen.part_ms(0.5),
        "mean_ms": seen.mean_ms,
        "rps": len(seen.times) / last,
        "late_ms": seen.late_ms,
    }


def left_out() -> dict[str, str]:
    """Return what cannot be measured here, with the reason."""
    is_there = load_generator().startswith("wrk")
    return {} if is_there else {CORRECTED: "there is no wrk here"}


def measure(
    rounds: int,
    seconds: int,
    *,
    warm_up: bool = True,
    groups: Mapping[str, float] = GROUPS,
) -> list[Row]:
    """Ask in all ways, in turn, and return the rows.

    Args:
        rounds: how often.
        seconds: for how long each asks; that is to say, for more than `EVERY`.
        warm_up: whether each asks once before, which does not count.
        groups: the seconds for which each kind of server holds its loop, by its name.

    Raises:
        NotStarted: a server did not start.
    """
    rows = []
    for group, hold in groups.items():
        with ExitStack() as stack:
            options = ("--port=0", "--logging=error", f"--hold={hold}", f"--every={EVERY}")
            url = stack.enter_context(program(SERVER, *options)).url
            ways: dict[str, Measure] = {
                BASELINE: partial(closed, url, 1, seconds),
                EIGHT: partial(closed, url, 8, seconds),
                CORRECTED: partial(closed, url, 1, seconds, by_wrk=True),
                OPEN: partial(on_time, url, LATE_MS[group], seconds),
            }
            if CORRECTED in left_out():
                del ways[CORRECTED]
            seen = in_rounds(ways, rounds, name=group, warm_up=warm_up)
            rows += seen.rows(BASELINE, group=group)
    return rows


def main() -> None:
    """Measure, print a table for each group, and write them down."""
    options = parser("queueing", __doc__)
    options.add_argument(
        "--rounds", type=one_or_more, help=f"how often all are measured; {ROUNDS}"
    )
    options.add_argument("--quick", action="store_true", help="look, and keep nothing")
    given = options.parse_args()
    end_when_told()
    rounds = given.rounds or (1 if given.quick else ROUNDS)
    seconds = QUICK_SECONDS if given.quick else SECONDS
    rows = measure(rounds, seconds, warm_up=not given.quick)
    said = about("tornado", baseline=BASELINE, load=LOAD, rounds=rounds)
    if CORRECTED not in left_out():
        said["wrk"] = load_generator().removeprefix("wrk ")
    said |= {"hold_ms": HOLD * 1e3, "every_ms": EVERY * 1e3, "open_loop_each_ms": EACH_MS}
    found = {"about": said, "results": rows, "left_out": left_out()}
    for group in GROUPS:
        print(f"\n{group}\n{Result(found).table(group, SHOWN)}")
    if not given.quick:
        keep("queueing", found)


if __name__ == "__main__":
    main()
