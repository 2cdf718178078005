"""What a server says that cannot have its port, so that all of them say the same."""

from __future__ import annotations

import errno


def why(error: Exception) -> str:
    """Return the reason, without a number and without the address.

    Args:
        error: what listening raised.
    """
    told = getattr(error, "strerror", None) or str(error)
    # `socket.create_server` adds this, and where it was is told already.
    return str(told).partition(" (while attempting")[0]


def way_out(error: Exception, port: int, option: str = "--port") -> str:
    """Return what to do about it, as the end of the sentence; empty if it is not the port.

    Args:
        error: what listening raised.
        port: where that was to listen.
        option: the option that names the port.
    """
    is_to_blame = port and getattr(error, "errno", None) in (errno.EADDRINUSE, errno.EACCES)
    return f"; {option}=0 picks another" if is_to_blame else ""
