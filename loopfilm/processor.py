"""For how long a thread could have run, and had no processor.

On a machine that is busy with other work a step of the loop lasts, and it is not to blame. A
clock on the wall cannot tell that from blocking, and a clock of the processor cannot tell it
from sleeping. Linux counts it for each thread. Other systems do not: there a film takes every
step that lasts for one that held the loop.

Since version 6.12, Linux now and then counts a whole sleep as standing in line: when it moves a
thread that has just gone to sleep to another processor. So whoever looks meanwhile, see
`sampling`, asks whether the thread sleeps, and that is believed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import NamedTuple


class Scheduled(NamedTuple):
    """What the system has counted for a thread, in seconds.

    Attributes:
        ran: for how long it ran on a processor.
        lacked: for how long it could have run, and stood in line for a processor.
    """

    ran: float
    lacked: float

    def since(self, before: Scheduled, span: float, asleep: float = 0.0) -> tuple[float, float]:
        """Return for how long it lacked a processor since another time, and slept.

        Args:
            before: what was counted then.
            span: how many seconds have passed.
            asleep: for how many of them it was seen asleep, at least.
        """
        lacked = min(max(self.lacked - before.lacked, 0.0), max(span - asleep, 0.0))
        return lacked, max(span - lacked - max(self.ran - before.ran, 0.0), 0.0)


UNKNOWN = Scheduled(0.0, 0.0)
# Waiting for something, or for a disk.
ASLEEP = (b"S", b"D")


class Processor:
    """What the system says of the thread in which this is made; `close` it in the end."""

    def __init__(self) -> None:
        self._file: int | None = None
        self._state: int | None = None
        try:
            self._file = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
            _asked(self._file)
        except (OSError, IndexError, ValueError):
            # Another system, or a Linux that does not count it.
            self.close()
            return
        # Where no more files may be open, nobody sees it asleep.
        with suppress(OSError):
            self._state = os.open("/proc/thread-self/stat", os.O_RDONLY)

    def scheduled(self) -> Scheduled:
        """Return what the system says now."""
        if self._file is None:
            return UNKNOWN
        try:
            return _asked(self._file)
        except (OSError, IndexError, ValueError):
            # The thread has ended, or another one has closed this in the meantime.
            return UNKNOWN

    def asleep(self) -> float | None:
        """Return for how many seconds the thread had run when it fell asleep; any may ask.

        Who has not run between two looks, and sleeps at both, has slept all the while.

        Returns:
            The seconds; `None` if it is not asleep, or nobody knows.
        """
        if self._file is None or self._state is None:
            return None
        try:
            ran = _asked(self._file).ran
            # Behind the name of the thread, which may have anything in it.
            state = os.pread(self._state, 200, 0).rpartition(b")")[2].split()[0]
        except (OSError, IndexError, ValueError):
            # The thread has ended, or another one has closed this in the meantime, and the
            # number may be that of somebody else's file.
            return None
        return ran if state in ASLEEP else None

    def close(self) -> None:
        """Let go of the system's files."""
        files, self._file, self._state = (self._file, self._state), None, None
        for file in files:
            if file is not None:
                os.close(file)


def _asked(file: int) -> Scheduled:
    ran, lacked = os.pread(file, 64, 0).split()[:2]
    return Scheduled(int(ran) / 1e9, int(lacked) / 1e9)
