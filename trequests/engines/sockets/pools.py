"""urllib3's pools, whose connections yield to the event loop, and so do their pauses.

urllib3 lets others say which classes a pool manager makes its pools from. These are subclasses
of its own, changed where a pool has to wait: for a free place, see `polite_queue`; for a
connection, see `connections`; and before another try.
"""

from __future__ import annotations

import functools
import queue
from typing import Any, cast

from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry
from urllib3.connection import port_by_scheme
from urllib3.exceptions import EmptyPoolError

import tornalet

from ..others import off_the_loop
from ..outside import Outside, loop_runs_here, report_blocking, warned
from ..polite_queue import PoliteQueue
from ..replaced import MAKING, SENDING, WRITING, any_of, talking_is_replaced
from .connections import PoliteConnection, PoliteTLSConnection
from .pauses import PoliteRetries, behind
from .spare import SparingPool
from .tls import yields

STOCK_QUEUE = HTTPConnectionPool.QueueCls
# Whoever has one of these on a pool makes its connections, or gives them out.
_MAKERS = {"_get_conn", "_new_conn"}


class _Cancelled(EmptyPoolError):
    """Carries a cancellation, or another end of a wait for a place, through urllib3."""

    def __init__(self, cancelled: BaseException) -> None:
        super().__init__(cast(Any, None), "cancelled")
        self.cancelled = cancelled


class _Places(PoliteQueue):
    """The places of a pool."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        if not block:
            # Also what is called by a pool that closes, where nobody would unwrap anything.
            return super().get(block, timeout)
        try:
            return super().get(block, timeout)
        except queue.Empty:
            raise
        except BaseException as error:
            # After any other exception urllib3 would give back a place that it never had.
            raise _Cancelled(error) from error


class PolitePool(SparingPool):
    """A pool of connections that yield to the loop.

    Args:
        outside: what to do where nobody can wait for them.
        *args: see `SparingPool`.
        **kwargs: see `SparingPool`.
    """

    kind: type[PoliteConnection] = PoliteConnection
    # urllib3's own pool, and what makes its connections if nobody has replaced that.
    stock: type[HTTPConnectionPool] = HTTPConnectionPool
    stock_kind: Any = HTTPConnectionPool.ConnectionCls

    def __init__(self, *args: Any, outside: Outside = "warn", **kwargs: Any) -> None:
        """Make a pool for one host."""
        super().__init__(*args, **kwargs)
        self.outside = outside
        # Threads only may wait for a place that somebody else gives out.
        self.blocks = not isinstance(self.pool, _Places) or not all(
            yields(given)
            for given in (
                self.conn_kw.get("ssl_context"),
                self.proxy_config and self.proxy_config.ssl_context,
            )
        )

    @property
    def QueueCls(self) -> Any:
        """What gives out the places; if somebody has replaced urllib3's own, that is taken."""
        if "QueueCls" in vars(self):
            return vars(self)["QueueCls"]
        now = self.stock.QueueCls
        return _Places if now is STOCK_QUEUE else now

    @QueueCls.setter
    def QueueCls(self, kind: Any) -> None:
        vars(self)["QueueCls"] = kind

    @property
    def ConnectionCls(self) -> Any:
        """What makes a connection.

        It is what somebody has put in the place of urllib3's own; and urllib3's own where
        somebody has replaced how connections are made or talk, or has a way of his own.
        """
        if "ConnectionCls" in vars(self):
            return vars(self)["ConnectionCls"]
        now = self.stock.ConnectionCls
        return now if now is not self.stock_kind or self._must_block() else self.kind

    @ConnectionCls.setter
    def ConnectionCls(self, kind: Any) -> None:
        vars(self)["ConnectionCls"] = kind

    def _must_block(self) -> bool:
        return (
            self.blocks
            or talking_is_replaced(tls=self.scheme == "https")
            or any_of(MAKING)
            or not _MAKERS.isdisjoint(vars(self))
        )

    def __str__(self) -> str:
        # Exceptions of requests have this text.
        name = "HTTPSConnectionPool" if self.scheme == "https" else "HTTPConnectionPool"
        return f"{name}(host={self.host!r}, port={self.port!r})"

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        if "ConnectionCls" not in vars(self) and isinstance(
            connection, PoliteConnection
        ) is not (self.ConnectionCls is self.kind):
            # It was kept from before somebody has replaced what makes them, or put it back.
            connection.close()
            connection = self._new_conn()
            connection.is_taken = True
        return connection

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()
        if isinstance(connection, PoliteConnection):
            connection.outside = self.outside
        return connection

    def is_passed_over(self) -> bool:
        """Return whether a greenlet would pass over what somebody has replaced."""
        now = self.ConnectionCls
        if now is self.kind:
            return False
        # Somebody may have made his own of ours.
        is_ours = isinstance(now, type) and issubclass(now, PoliteConnection)
        return not is_ours or self._must_block()

    def urlopen(  # type: ignore[override]
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        retries: Any = None,
        redirect: Any = True,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Send a request, see `urllib3.HTTPConnectionPool.urlopen`."""
        if not isinstance(retries, Retry):
            # A number, or nothing, of which urllib3 would make some that hold the loop.
            retries = Retry.from_int(retries, redirect=redirect, default=self.retries)
        if type(retries) is not PoliteRetries and retries.total != 0:
            retries = PoliteRetries(retries)
        if self.proxy is None and type(headers) is CaseInsensitiveDict and self._nobody_looks():
            # urllib3 makes a copy, which is much faster of a plain dictionary. Other kinds may
            # have a name several times.
            headers = dict(headers.items())
        names = ("method", "url", "body", "headers", "retries", "redirect")
        values = (method, url, body, headers, retries, redirect)
        if args:
            # urllib3 itself, which tries again.
            args = (*values, *args)
        else:
            # By their names, as requests calls whoever has replaced the method.
            kwargs.update(zip(names, values, strict=True))
        send = functools.partial(self._urlopen, *args, **kwargs)
        if loop_runs_here() and self.is_passed_over():
            return off_the_loop(send, self.outside, f"{method} {self.address(url)[0]}")
        if tornalet.can_wait() or (warned.get() and self.outside != "raise"):
            return send()
        report_blocking(self.outside, f"{method} {self.address(url)[0]}")
        token = warned.set(True)
        try:
            return send()
        finally:
            warned.reset(token)

    def _nobody_looks(self) -> bool:
        """Return whether nobody but urllib3 is given the headers of a request."""
        own = vars(self)
        return not (
            SENDING.replaced()
            or any_of(WRITING)
            or "urlopen" in own
            or "_make_request" in own
            or "ConnectionCls" in own
        )

    def address(self, url: str) -> tuple[str, str]:
        """Return the whole address of what is asked for, and the host in it.

        The host has its port with it, if that is unusual.
        """
        if not url.startswith("/"):
            # Through a proxy that is asked for the whole address.
            return url, url.split("/", 3)[2]
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port in (None, port_by_scheme.get(self.scheme))
        netloc = host if usual else f"{host}:{self.port}"
        return f"{self.scheme}://{netloc}{url}", netloc

    def _urlopen(self, *args: Any, **kwargs: Any) -> Any:
        try:
            response: Any = super().urlopen(*args, **kwargs)
            if type(response.retries) is PoliteRetries:
                response.retries = behind(response.retries)
            return response
        except _Cancelled as error:
            cancelled = error.cancelled
        try:
            raise cancelled
        finally:
            # Breaks a reference cycle: its traceback refers to this frame.
            del cancelled


class PoliteTLSPool(PolitePool, HTTPSConnectionPool):
    """The same with TLS."""

    kind: type[PoliteTLSConnection] = PoliteTLSConnection
    stock = HTTPSConnectionPool
    stock_kind = HTTPSConnectionPool.ConnectionCls
