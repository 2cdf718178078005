"""For how long a thread could have run, and had no processor.

On a machine that is busy with other work a step of the loop lasts, and it is not to blame. A
clock on the wall cannot tell that from blocking, and a clock of the processor cannot tell it
from sleeping. Linux counts it for each thread. Other systems do not: there a film takes every
step that lasts for one that held the loop.
"""

from __future__ import annotations

import os


class Processor:
    """What the system says of the thread in which this is made; `close` it in the end."""

    def __init__(self) -> None:
        self._file: int | None = None
        try:
            self._file = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
            _asked(self._file)
        except (OSError, IndexError, ValueError):
            # Another system, or a Linux that does not count it.
            self.close()

    def lacked(self) -> float:
        """Return for how many seconds the thread has stood in line for a processor, in all."""
        if self._file is None:
            return 0.0
        try:
            return _asked(self._file)
        except (OSError, IndexError, ValueError):
            # The thread has ended, or another one has closed this in the meantime.
            return 0.0

    def close(self) -> None:
        """Let go of the system's file."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _asked(file: int) -> float:
    return int(os.pread(file, 64, 0).split()[1]) / 1e9
