"""Have the system ask whether somebody is still there who says nothing.

Whose cable is cut sends nothing any more, not even that they go. TCP asks them, if it is told
to, and closes the connection when nobody answers. The pings of a WebSocket do the same, for a
task each. They reach the browser, where this ends at a proxy before it.
"""

from __future__ import annotations

import socket
from contextlib import suppress

from tornado.iostream import IOStream

# Seconds: of silence until the first question, and from there to each of the next ones.
SILENCE = 60
BETWEEN = 20
QUESTIONS = 3

# Not every system has all of them, and one has another name for the first.
OPTIONS = {
    "TCP_KEEPIDLE": SILENCE,
    "TCP_KEEPALIVE": SILENCE,
    "TCP_KEEPINTVL": BETWEEN,
    "TCP_KEEPCNT": QUESTIONS,
    # In milliseconds. While something is sent again and again, TCP asks nothing, and by itself
    # it would go on with that for a quarter of an hour.
    "TCP_USER_TIMEOUT": 1000 * (SILENCE + BETWEEN * QUESTIONS),
}


def keep_alive(stream: IOStream) -> None:
    """Have a connection closed whose other end has not been there for two minutes.

    Args:
        stream: the connection. If it is closed, or is not TCP, nothing is done.
    """
    connection: socket.socket | None = stream.socket
    if connection is None or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    # It may have broken in this moment.
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in OPTIONS.items():
            if option := getattr(socket, name, None):
                connection.setsockopt(socket.IPPROTO_TCP, option, value)
