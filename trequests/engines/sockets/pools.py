"""urllib3's pools, whose connections yield to the event loop, and so do their pauses.

urllib3 lets others say which classes a pool manager makes its pools from. These are subclasses
of its own, changed where a pool has to wait: for a free place, see `polite_queue`; for a
connection, see `connections`; and before another try.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import queue
from typing import Any, cast

from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry
from urllib3.connection import port_by_scheme
from urllib3.exceptions import EmptyPoolError

import tornalet

from ..outside import Outside, report_blocking, warned
from ..polite_queue import PoliteQueue
from ..threads import wait_for_thread
from .connections import PoliteConnection, PoliteTLSConnection


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


class PolitePool(HTTPConnectionPool):
    """A pool of connections that yield to the loop.

    Args:
        outside: what to do where nobody can wait for them.
        *args: see `urllib3.HTTPConnectionPool`.
        **kwargs: see `urllib3.HTTPConnectionPool`.
    """

    ConnectionCls: type[PoliteConnection] = PoliteConnection
    QueueCls = _Places

    def __init__(
        self,
        *args: Any,
        outside: Outside = "warn",
        maxsize: int = 1,
        block: bool = False,
        **kwargs: Any,
    ) -> None:
        """Make a pool for one host."""
        # A pool that does not block needs no queue full of places; it keeps as many connections
        # as it was asked to.
        kwargs.update(maxsize=maxsize if block else 0, block=block)
        super().__init__(*args, **kwargs)
        assert self.pool
        self.pool.maxsize = maxsize
        self.outside = outside

    def __str__(self) -> str:
        # Exceptions of requests have this text.
        name = "HTTPSConnectionPool" if self.scheme == "https" else "HTTPConnectionPool"
        return f"{name}(host={self.host!r}, port={self.port!r})"

    def _new_conn(self) -> Any:
        connection = super()._new_conn()
        connection.outside = self.outside  # type: ignore[attr-defined]
        return connection

    def urlopen(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Send a request, see `urllib3.HTTPConnectionPool.urlopen`."""
        retries = kwargs.get("retries")
        if isinstance(retries, Retry) and retries.total != 0:
            kwargs["retries"] = _polite_retry(retries)
        if self.proxy is None and type(kwargs.get("headers")) is CaseInsensitiveDict:
            # urllib3 makes a copy, which is much faster of a plain dictionary. Other kinds may
            # have a name several times.
            kwargs["headers"] = dict(kwargs["headers"].items())
        if tornalet.can_wait() or (warned.get() and self.outside != "raise"):
            return self._urlopen(method, url, *args, **kwargs)
        report_blocking(self.outside, f"{method} {self.address(url)[0]}")
        token = warned.set(True)
        try:
            return self._urlopen(method, url, *args, **kwargs)
        finally:
            warned.reset(token)

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
            return super().urlopen(*args, **kwargs)
        except _Cancelled as error:
            cancelled = error.cancelled
        try:
            raise cancelled
        finally:
            # Breaks a reference cycle: its traceback refers to this frame.
            del cancelled


class PoliteTLSPool(PolitePool, HTTPSConnectionPool):
    """The same with TLS."""

    ConnectionCls: type[PoliteTLSConnection] = PoliteTLSConnection


class _PoliteRetry(Retry):
    """A pause before another try that yields to the loop; mixed into the retries given."""

    def sleep(self, response: Any = None) -> None:
        """Sleep before another try, see `urllib3.Retry.sleep`."""
        if not tornalet.can_wait():
            super().sleep(response)
        elif _pauses_as_ever(type(self)):
            seconds = self.get_retry_after(response) if response else None
            if not (seconds and self.respect_retry_after_header):
                seconds = self.get_backoff_time()
            if seconds > 0:
                tornalet.wait(asyncio.sleep(seconds))
        else:
            wait_for_thread(functools.partial(super().sleep, response))


def _pauses_as_ever(kind: type[Retry]) -> bool:
    pauses = ("sleep_for_retry", "_sleep_backoff")
    theirs = next(c for c in kind.__mro__ if "sleep" in vars(c) and c is not _PoliteRetry)
    return theirs is Retry and all(getattr(kind, n) is getattr(Retry, n) for n in pauses)


def _polite_retry(retries: Retry) -> Retry:
    if isinstance(retries, _PoliteRetry):
        return retries
    kind = type(retries)
    if kind not in _polite_kinds:
        _polite_kinds[kind] = type(kind.__name__, (_PoliteRetry, kind), {})
    polite = copy.copy(retries)
    polite.__class__ = _polite_kinds[kind]
    return polite


# A library may have its own class of retries, with attributes of its own: for each, a subclass.
_polite_kinds = dict[type[Retry], type[Retry]]()
