"""Hold a process where it stands, as if it were busy."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def held(process: int) -> Iterator[None]:
    """Hold a process for as long as the block lasts; it hears nothing, and goes on after that.

    Of several processes that wait at one socket, those that are not held take whoever comes. So
    it also picks which of two a connection goes to.

    Args:
        process: its number.

    Raises:
        ProcessLookupError: there is no such process.
    """
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        # It may have been killed meanwhile.
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)
