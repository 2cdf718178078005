"""Rooms full of people, for the benchmarks that compare who serves them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from classroom.measuring.load import TOO_BUSY
from classroom.measuring.people.crowd import Crowd, Trouble
from classroom.measuring.people.pollers import Pollers
from classroom.measuring.program import NotStarted, Program, program
from classroom.measuring.rounds import Refused
from tools.machine import allow_open_files

# Those who come before memory is measured, so that what the first one needs is not counted.
FIRST = 100
# Descriptors that are for other things than people.
SPARE = 100
# Seconds until all must be in the room, and until all must have heard what was said.
JOINING, HEARING = 300.0, 60.0


def served(name: str) -> AbstractContextManager[Program]:
    """Run a room as a program, which ends with the block, and with this process."""
    return program("stormy_demo.peers.rooms", name, "--port=0", "--end-with-stdin")


def that_do_not_start(names: dict[str, str]) -> dict[str, str]:
    """Return why some rooms do not start here, as when a package is not installed.

    Args:
        names: the rooms, by what they are called in the result.
    """
    reasons = {}
    for mode, name in names.items():
        try:
            with served(name):
                pass
        except NotStarted as reason:
            reasons[mode] = str(reason)
    return reasons


def that_fit(wanted: int, *, rooms: int = 1, each: int = 1) -> tuple[int, str]:
    """Return how many people there can be, and why they are fewer, if they are.

    Args:
        wanted: how many there are to be in a room.
        rooms: how many rooms are full at the same time, with people of this process.
        each: how many descriptors a server opens for one of them, at most.

    Raises:
        SystemExit: there is room for nobody; it says so in a sentence.
    """
    # On Windows the limit is that of select().
    most = int(min(500 if sys.platform == "win32" else allow_open_files(), 10**9))
    fit = min(wanted, (most - SPARE) // max(rooms, each) - FIRST)
    if fit < 1:
        sys.exit(f"a process may open {most} descriptors only, which are too few for a room")
    if fit == wanted:
        return wanted, ""
    return fit, f"{fit} people and not {wanted}: a process may open {most} descriptors only"


@dataclass
class Effort:
    """What something took: seconds, and processor time of the server."""

    seconds: float = 0.0
    cpu: float = 0.0


@contextmanager
def effort(server: Program) -> Iterator[Effort]:
    """Measure what a block takes.

    Raises:
        Refused: what the server did was not what it should do, or those who wait for it, who
            are in this process, had so much to do that it may be they who are slow.
    """
    seen = Effort()
    cpu, ours, start = server.cpu(), time.process_time(), time.perf_counter()
    try:
        yield seen
    except Trouble as trouble:
        raise Refused(str(trouble)) from trouble
    seen.seconds = time.perf_counter() - start
    busy = (time.process_time() - ours) / seen.seconds
    seen.cpu = server.cpu() - cpu
    if busy > TOO_BUSY:
        raise Refused(f"the people were busy for {busy:.0%} of the time, and may be slower")


def heard(crowd: Crowd | Pollers) -> None:
    """Wait until everybody has heard everything.

    Raises:
        Trouble: somebody has not, within the time that there is; or has heard something twice.
    """
    came = crowd.ears.listen(crowd.all_have_heard, HEARING)
    if not came or crowd.lost():
        dropped = f", and {crowd.dropped} were dropped" if crowd.dropped else ""
        raise Trouble(f"{crowd.lost()} people have not heard all of it{dropped}")
    if isinstance(crowd, Crowd) and crowd.twice:
        raise Trouble(f"a message came again, {crowd.twice} times in all")
