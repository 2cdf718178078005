"""A clock that stands still while this process would run, and the machine lets it wait.

On a busy machine a second of work takes many seconds. What is judged by this clock is judged as
on a machine that has nothing else to do: it comes late, and it is the same.

Linux says how long each thread stood in line for a processor. Elsewhere the clock is the usual
one: there a check on a very busy machine may give up where it should have waited.
"""

from __future__ import annotations

import os
from time import monotonic
from typing import NamedTuple

from .descendants import descendants

# Seconds between two looks at the threads, which take some microseconds.
LOOK = 0.02


def worked(process: int) -> float:
    """Return for how many seconds of a processor a process has worked, without its children.

    Args:
        process: the system's number for it.

    Returns:
        The seconds; 0 where the system does not tell, or the process is gone.
    """
    return _worked(str(process), 2)


def worked_by_all(process: int) -> float:
    """Return the same for a process and all that it has started, also what has ended since."""
    # Two more numbers, of the children that have ended.
    return sum(_worked(each, 4) for each in (str(process), *descendants(str(process))))


def _worked(process: str, numbers: int) -> float:
    try:
        with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123
            # Behind the name of the program, which may have anything in it.
            fields = file.read().rpartition(b")")[2].split()
        return sum(map(int, fields[11 : 11 + numbers])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return 0.0


class _Look(NamedTuple):
    at: float
    waited: dict[str, int]
    own: float


class OwnTime:
    """A clock of a process, or of one of its threads."""

    def __init__(self, thread: int | None = None, process: int | str = "self") -> None:
        """Begin to count.

        Args:
            thread: the system's number for a thread; without one, the clock stands still as
                soon as any thread of the process, or a process that it has started, waits for
                a processor.
            process: the system's number for a process.
        """
        self._process = str(process)
        self._thread = thread
        self._shown = 0.0
        # A tuple is replaced as a whole, so threads may read the clock without a lock, which a
        # fork might leave closed.
        self._last = _Look(monotonic(), self._waited({}), 0.0)

    def time(self) -> float:
        """Return the seconds that have passed by this clock since it was made."""
        now, last = monotonic(), self._last
        if now - last.at > LOOK:
            waited = self._waited(last.waited)
            lost = max((waited[t] - last.waited.get(t, 0) for t in waited), default=0) / 1e9
            last = self._last = _Look(now, waited, last.own + max(now - last.at - lost, 0.0))
        self._shown = max(self._shown, last.own + now - last.at)
        return self._shown

    def _waited(self, before: dict[str, int]) -> dict[str, int]:
        """Return for how many nanoseconds each thread has stood in line, as far as is known."""
        found = dict[str, int]()
        for thread in self._threads():
            try:
                file = os.open(f"/proc/{thread}/schedstat", os.O_RDONLY)
                try:
                    found[thread] = int(os.read(file, 100).split()[1])
                finally:
                    os.close(file)
            except (OSError, IndexError, ValueError):
                # It has ended, or no more files may be open.
                found[thread] = before.get(thread, 0)
        return found

    def _threads(self) -> list[str]:
        """Return where below /proc the threads are."""
        folder = f"{self._process}/task"
        if self._thread is not None:
            return [f"{folder}/{self._thread}"]
        try:
            threads = os.listdir(f"/proc/{folder}")  # noqa: PTH208
        except OSError:
            threads = []
        return [*(f"{folder}/{thread}" for thread in threads), *descendants(self._process)]
