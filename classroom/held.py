"""Hold a process where it stands, as if it were busy."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient

# Seconds that a process may take until it answers, on a machine that is very busy.
PATIENCE = 300.0


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


async def both(url: str) -> tuple[int, int]:
    """Return the numbers of two processes that share a port, whoever answers first.

    Args:
        url: where they listen; `/whoami` says which of them answers.

    Raises:
        OSError: nobody listens there.
    """
    first = await _who(url)
    with held(first):
        return first, await _who(url)


async def _who(url: str) -> int:
    response = await AsyncHTTPClient().fetch(f"{url}/whoami", request_timeout=PATIENCE)
    number: int = json_decode(response.body)["process"]
    return number
