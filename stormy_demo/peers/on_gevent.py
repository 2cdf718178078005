"""What the servers on gevent share: on which socket they wait, and how they end."""

from __future__ import annotations

import signal
import socket
from typing import Any

from gevent import signal_handler  # type: ignore[import-untyped]
from gevent.socket import socket as polite_socket  # type: ignore[import-untyped]


def polite(listener: socket.socket) -> Any:
    """Return the same socket, on which a greenlet waits and not the thread."""
    return polite_socket(fileno=listener.detach())


def until_told(server: Any) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        server: a server of gevent.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        # In a greenlet of its own: otherwise whichever runs would be interrupted, and say so.
        signal_handler(number, server.stop, 0)
    server.serve_forever()
