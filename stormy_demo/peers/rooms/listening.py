"""The socket of a room."""

from __future__ import annotations

import socket

from .. import starting

# Seconds that somebody may take to answer a ping, where a server sends any.
PATIENCE = 120


def listen(port: int) -> socket.socket:
    """Return a socket that listens, and whose connections send each frame at once.

    With Nagle's algorithm a small frame waits until the one before has been acknowledged.
    What is accepted has the option from here, unless a server takes it away again.

    Args:
        port: 0 lets the system pick.

    Raises:
        SystemExit: the port is taken, or not ours; the status is 1.
    """
    listener = starting.listen(port)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def announce(listener: socket.socket) -> None:
    """Say where it listens, when it can answer."""
    starting.announce(listener.getsockname()[1])
