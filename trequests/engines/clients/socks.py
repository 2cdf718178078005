"""Exchanges through a SOCKS proxy: PySocks connects, and Tornado's client gets the socket."""

from __future__ import annotations

import socket

from ..sockets.socks import PoliteSOCKSConnection, PoliteSOCKSPool, PoliteSOCKSTLSPool
from .exchanges import Exchange
from .pools import ExchangePool, ExchangeTLSPool


class _ThroughSOCKS(ExchangePool):
    def through_socks(self, exchange: Exchange) -> socket.socket:
        """Return a socket that is connected through the SOCKS proxy.

        Raises:
            urllib3.exceptions.HTTPError: it cannot be, or not in time.
        """
        connection = PoliteSOCKSConnection(
            self.conn_kw["_socks_options"],
            host=self.host,
            port=self.port,
            timeout=exchange.timeout,
        )
        polite = connection._new_conn()
        # A plain socket, as Tornado and libcurl expect it.
        return socket.socket(polite.family, polite.type, polite.proto, polite.detach())


class ExchangeSOCKSPool(_ThroughSOCKS, PoliteSOCKSPool):
    """A pool of exchanges through a SOCKS proxy."""


class ExchangeSOCKSTLSPool(_ThroughSOCKS, ExchangeTLSPool, PoliteSOCKSTLSPool):
    """The same with TLS."""
