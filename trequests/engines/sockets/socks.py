"""Connections through a SOCKS proxy, which PySocks makes, on sockets that yield to the loop.

PySocks knows blocking sockets only. So a thread connects for a greenlet, which then takes the
socket over.
"""

from __future__ import annotations

import socket

from urllib3.contrib.socks import (
    SOCKSConnection,
    SOCKSHTTPConnectionPool,
    SOCKSHTTPSConnectionPool,
)

import tornalet

from ..threads import wait_for_thread
from .connections import PoliteConnection, PoliteTLSConnection
from .polite import PoliteSocket
from .pools import PolitePool, PoliteTLSPool


class PoliteSOCKSConnection(PoliteConnection, SOCKSConnection):
    """A connection through a SOCKS proxy."""

    def __str__(self) -> str:
        return super().__str__().replace("HTTP", "SOCKSHTTP", 1)

    def _new_conn(self) -> socket.socket:
        if not tornalet.can_wait():
            return PoliteSocket.take_over(self._connect(), self.outside)
        plain = wait_for_thread(self._connect, if_too_late=socket.socket.close)
        return PoliteSocket.take_over(plain, self.outside)

    def _connect(self) -> socket.socket:
        plain: socket.socket = SOCKSConnection._new_conn(self)
        return plain


class PoliteSOCKSTLSConnection(PoliteSOCKSConnection, PoliteTLSConnection):
    """The same with TLS."""


class PoliteSOCKSPool(PolitePool):
    """A pool of connections through a SOCKS proxy."""

    kind = PoliteSOCKSConnection
    stock = SOCKSHTTPConnectionPool
    stock_kind = SOCKSHTTPConnectionPool.ConnectionCls


class PoliteSOCKSTLSPool(PoliteTLSPool):
    """The same with TLS."""

    kind = PoliteSOCKSTLSConnection
    stock = SOCKSHTTPSConnectionPool
    stock_kind = SOCKSHTTPSConnectionPool.ConnectionCls
