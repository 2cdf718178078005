"""Connections through a SOCKS proxy, which PySocks makes, on sockets that yield to the loop.

PySocks knows blocking sockets only. So a greenlet lets it connect on a thread, and takes the
socket over when it is through.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from urllib3.contrib.socks import SOCKSConnection

from .. import tornalet
from .connections import THREADS, PoliteConnection, PoliteTLSConnection
from .polite import PoliteSocket
from .pools import PolitePool, PoliteTLSPool


class PoliteSOCKSConnection(PoliteConnection, SOCKSConnection):
    """A connection through a SOCKS proxy."""

    def _new_conn(self) -> socket.socket:
        if not tornalet.can_wait():
            return PoliteSocket.take_over(self._connect(), self.outside)
        connecting = asyncio.get_running_loop().run_in_executor(THREADS, self._connect)
        try:
            return PoliteSocket.take_over(
                tornalet.wait(asyncio.shield(connecting)), self.outside
            )
        except asyncio.CancelledError:
            # The thread cannot be told, and nobody else will ever know of its socket.
            connecting.add_done_callback(_close)
            raise

    def _connect(self) -> socket.socket:
        plain: socket.socket = SOCKSConnection._new_conn(self)
        return plain


def _close(connecting: asyncio.Future[Any]) -> None:
    if not connecting.cancelled() and not connecting.exception():
        connecting.result().close()


class PoliteSOCKSTLSConnection(PoliteSOCKSConnection, PoliteTLSConnection):
    """The same with TLS."""


class PoliteSOCKSPool(PolitePool):
    """A pool of connections through a SOCKS proxy."""

    ConnectionCls = PoliteSOCKSConnection


class PoliteSOCKSTLSPool(PoliteTLSPool):
    """The same with TLS."""

    ConnectionCls = PoliteSOCKSTLSConnection
