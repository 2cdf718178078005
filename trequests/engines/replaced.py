"""What others have put in the place of what a connection is made with.

A resolver of one's own, a guard against requests to inner addresses, a list of hosts that tests
may ask, a library that sends everything through Tor: they replace a function or a class that
urllib3 calls when it connects. Whoever connects in another way must not pass them over.

A part is as ever if its code is that of the module where it belongs. This is looked at each
time, since a replacement may come, and go, while a program runs.
"""

from __future__ import annotations

import _socket
import socket
import types
from typing import Any

from urllib3 import connection
from urllib3.util import connection as connecting


def replaced() -> list[str]:
    """Return the names of those parts that are not as ever."""
    found = [name for name, module, part in _functions() if not _is_of(module, part)]
    if socket.socket.__module__ != "socket":
        found.append("socket.socket")
    elif socket.socket.connect is not _socket.socket.connect:
        found.append("socket.socket.connect")
    return found


def sockets_are_doubles() -> bool:
    """Return whether what makes sockets makes something else, as some mocks do."""
    kind: Any = socket.socket
    return not (isinstance(kind, type) and issubclass(kind, _socket.socket))


def lookup_is_replaced() -> bool:
    """Return whether `socket.getaddrinfo` is not as ever."""
    return not _is_of(socket, socket.getaddrinfo)


def _functions() -> tuple[tuple[str, types.ModuleType, Any], ...]:
    # Looked up by name: they are what somebody may have replaced.
    return (
        (
            "urllib3.connection.HTTPConnection._new_conn",
            connection,
            connection.HTTPConnection._new_conn,
        ),
        (
            "urllib3.util.connection.create_connection",
            connecting,
            connecting.create_connection,
        ),
        (
            "urllib3.util.connection.allowed_gai_family",
            connecting,
            connecting.allowed_gai_family,
        ),
    )


def _is_of(module: types.ModuleType, function: Any) -> bool:
    # A decorator copies the names of what it wraps, and cannot copy this.
    return getattr(function, "__globals__", None) is vars(module)
