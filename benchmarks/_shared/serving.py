"""What a server says and does that a benchmark starts as a program."""

from __future__ import annotations

import _thread
import os

from . import LOCALHOST

# How many connections may wait to be accepted.
BACKLOG = 4096


def announce(port: int) -> None:
    """Say on which port, in the words that `program` waits for."""
    print(f"listening on http://{LOCALHOST}:{port}", flush=True)


def end_with_stdin() -> None:
    """From now on, end this process when the one at the other end of its stdin has ended."""
    _thread.start_new_thread(_wait_for_the_end_of_stdin, ())


def _wait_for_the_end_of_stdin() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)
