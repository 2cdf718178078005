"""Busy neighbours: processes that want the processors, too, as long as a block lasts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

# Seconds after which they end in any case, also when nobody is left who would end them.
LONGEST = 10
# Without the modules of a site, it starts at once.
SPIN = f"""
import time
print(flush=True)
end = time.monotonic() + {LONGEST}
while time.monotonic() < end:
    pass
"""


@contextmanager
def busy_neighbours(for_each: int = 2) -> Iterator[None]:
    """Keep all processors busy while the block lasts, for ten seconds at most.

    Args:
        for_each: how many processes there are for each processor, from 0 on.

    Raises:
        ValueError: there cannot be fewer than none.
    """
    if for_each < 0:
        raise ValueError("there cannot be fewer than none")
    with ExitStack() as stack:
        started = []
        for _ in range(for_each * processors()):
            command = [sys.executable, "-I", "-S", "-c", SPIN]
            started.append(
                stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
            )
            stack.callback(started[-1].kill)
        for each in started:
            assert each.stdout
            each.stdout.readline()
        yield


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
