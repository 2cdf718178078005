"""urllib3's pools, whose connections are exchanges with a client of Tornado."""

from __future__ import annotations

import socket
from typing import Any

from urllib3.exceptions import ProtocolError

import tornalet

from ..replaced import anything_is_replaced
from ..sockets.pools import PolitePool, PoliteTLSPool
from .exchanges import Exchange


class ExchangePool(PolitePool):
    """A pool whose connections are exchanges in a greenlet, and polite ones elsewhere.

    Args:
        *args: see `PolitePool`.
        exchange: the kind of exchange.
        **options: see `PolitePool`.
    """

    def __init__(self, *args: Any, exchange: type[Exchange], **options: Any) -> None:
        """Make a pool for one host."""
        super().__init__(*args, **options)
        self.exchange = exchange
        self.unknown = [name for name in exchange.unknown if options.get(name) is not None]

    def is_passed_over(self) -> bool:
        """Return whether a client of Tornado would pass over what somebody has replaced."""
        return super().is_passed_over() or anything_is_replaced(tls=self.scheme == "https")

    def _get_conn(self, timeout: float | None = None) -> Any:
        if not tornalet.can_wait():
            return super()._get_conn(timeout)
        if self.unknown:
            raise ProtocolError(
                f'the engine "{self.exchange.engine}" has no place for '
                f'{", ".join(self.unknown)}: the engine "sockets" has'
            )
        exchange = self.exchange(self)
        exchange.is_taken = True
        self.made.add(exchange)
        return exchange

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.is_taken = False
        # An exchange was made in `_get_conn`, and does not come from the pool.
        if not (isinstance(conn, Exchange) or (conn is None and tornalet.can_wait())):
            super()._put_conn(conn)

    def _make_request(self, conn: Any, *args: Any, **options: Any) -> Any:
        if isinstance(conn, Exchange):
            conn.total = options["timeout"].total
        return super()._make_request(conn, *args, **options)

    def close(self) -> None:
        """Close what is kept for later requests, see `urllib3.HTTPConnectionPool.close`."""
        super().close()
        self.exchange.let_go(self)

    def through_socks(self, exchange: Exchange) -> socket.socket | None:
        """Return a socket that is connected through the SOCKS proxy, if there is one."""
        return None


class ExchangeTLSPool(ExchangePool, PoliteTLSPool):
    """The same with TLS."""
