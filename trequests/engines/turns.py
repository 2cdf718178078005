"""Turns for others on the loop, while plain code reads what has come already.

An answer may be there as a whole before the first piece of it is read, and to read a hundred
thousand small pieces takes seconds. On a thread the others would go on meanwhile.
"""

from __future__ import annotations

import asyncio
import time

import tornalet

# Seconds. So long plain code reads on.
LONGEST = 0.01


def give_way(since: float) -> float:
    """Let others on the loop have a turn, if they had none for a while.

    Args:
        since: when they had the last one, in seconds of `time.monotonic`.

    Returns:
        When they had the last one now.
    """
    if time.monotonic() - since < LONGEST or not tornalet.can_wait():
        return since
    tornalet.wait(asyncio.sleep(0))
    return time.monotonic()
