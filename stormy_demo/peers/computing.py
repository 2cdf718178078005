"""What a handler may have to compute: in Python, and in C, which lets other threads run."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from typing import TypedDict

Work = Callable[[int], int]


class Done(TypedDict):
    """What is known of work that was done.

    `began` and `ended` are seconds of a clock that all processes of a machine share.
    """

    answer: int
    process: int
    began: float
    ended: float


def compute(times: int) -> int:
    """Compute something in plain Python.

    Args:
        times: how often it goes round.
    """
    total = 0
    for number in range(times):
        total += number * number % 7
    return total


def digest(times: int) -> int:
    """Compute a hash of a hash of a hash; C does it, and lets other threads run meanwhile.

    Args:
        times: how often it is hashed.
    """
    found = hashlib.pbkdf2_hmac("sha256", b"password", b"salt", times)
    return int.from_bytes(found[:4], "big")


def done(work: Work, times: int) -> Done:
    """Do some work, and say who has done it and when.

    Args:
        work: what takes its time.
        times: how much of it.
    """
    began = time.monotonic()
    answer = work(times)
    return {
        "answer": answer,
        "process": os.getpid(),
        "began": began,
        "ended": time.monotonic(),
    }
