"""How long an exchange may wait: what a socket would take."""

from __future__ import annotations

import socket

DAY = 24 * 60 * 60  # seconds


def checked(seconds: float | None) -> float | None:
    """Return a timeout, in seconds, as a plain socket has it; None is for ever.

    Raises:
        ValueError: it is not a number.
        OverflowError: it is longer than a socket can wait.
        TypeError: it is of another type than sockets know.
    """
    if seconds is None or (type(seconds) in (int, float) and 0 < seconds < DAY):
        return seconds
    with socket.socket() as plain:
        plain.settimeout(seconds)
        return plain.gettimeout()
