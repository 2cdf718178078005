"""urllib3's connections and pools, on sockets that yield to the event loop.

urllib3 lets others say which classes a pool manager makes its pools from. These are its own
with four things changed, the four in which a request may have to wait: the name of the server,
its socket, a free place in the pool, and the pause before another try.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import functools
import queue
import socket
import ssl
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    EmptyPoolError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.util.connection import allowed_gai_family
from urllib3.util.ssl_ import (
    create_urllib3_context,
    resolve_cert_reqs,
    resolve_ssl_version,
)

from .. import tornalet
from .headers import PoliteResponse
from .outside import Outside, loop_runs_here, tell
from .polite import PoliteContext, PoliteSocket

# For what is there as a blocking call only. The loop's own threads are few, and a server that
# knows no names would keep all of them waiting, and whoever else needs one.
THREADS = ThreadPoolExecutor(64, thread_name_prefix="trequests")

# So that one request that blocks the loop is told of once, and not for each of its waits.
_told: ContextVar[bool] = ContextVar("told", default=False)


class PoliteConnection(HTTPConnection):
    """A connection whose socket yields to the loop."""

    response_class = PoliteResponse
    outside: Outside = "warn"

    def _new_conn(self) -> socket.socket:
        # Names of exceptions as in the original, since requests tells them apart.
        try:
            sock = self._connected_socket()
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(
                self,
                f"Connection to {self.host} timed out. (connect timeout={self.timeout})",
            ) from error
        except OSError as error:
            raise NewConnectionError(
                self, f"Failed to establish a new connection: {error}"
            ) from error
        sys.audit("http.client.connect", self, self.host, self.port)
        return sock

    def _connected_socket(self) -> socket.socket:
        error: OSError = OSError("getaddrinfo returns an empty list")
        for family, kind, protocol, _, address in _addresses(self._dns_host, self.port):
            sock = PoliteSocket(family, kind, protocol, self.outside)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(self.timeout)
                if self.source_address:
                    sock.bind(self.source_address)
                sock.connect(address)
                return sock
            except OSError as refused:
                sock.close()
                error = refused
            except BaseException:
                sock.close()
                raise
        try:
            raise error
        finally:
            # The exception has this frame, which would have the exception.
            del error


class PoliteTLSConnection(PoliteConnection, HTTPSConnection):
    """A connection with TLS whose socket yields to the loop."""

    def connect(self) -> None:
        """Connect and shake hands, see `urllib3.connection.HTTPSConnection.connect`."""
        given = self.ssl_context
        self.ssl_context = self._polite_context(given)
        try:
            super().connect()
        finally:
            # It belongs to somebody else, who may look.
            self.ssl_context = given

    def _connect_tls_proxy(self, hostname: str, sock: socket.socket) -> ssl.SSLSocket:
        config = self.proxy_config
        assert config
        if config.ssl_context or not self.proxy_is_forwarding:
            context = self._polite_context(config.ssl_context)
            if not config.ssl_context and self.cert_reqs != "CERT_NONE":
                context.load_verify_locations(
                    self.ca_certs, self.ca_cert_dir, self.ca_cert_data
                )
            self.proxy_config = config._replace(ssl_context=context)
        try:
            return super()._connect_tls_proxy(hostname, sock)
        finally:
            self.proxy_config = config

    def _polite_context(self, given: Any) -> Any:
        if given is None:
            # What urllib3 would make for itself, where we could not stand before it.
            given = create_urllib3_context(
                ssl_version=resolve_ssl_version(self.ssl_version),
                ssl_minimum_version=self.ssl_minimum_version,
                ssl_maximum_version=self.ssl_maximum_version,
                cert_reqs=resolve_cert_reqs(self.cert_reqs),
            )
            if not (self.ca_certs or self.ca_cert_dir or self.ca_cert_data):
                given.load_default_certs()
        if not isinstance(given, ssl.SSLContext):
            if tornalet.can_wait():
                raise RuntimeError(
                    "this connection has a TLS context of pyOpenSSL's, which would block the "
                    "event loop: give it an ssl.SSLContext, or use it on another thread"
                )
            return given
        return PoliteContext(given, self.outside)


class PoliteQueue(queue.LifoQueue[Any]):
    """The places of a pool; whoever waits for one yields to the loop."""

    def __init__(self, maxsize: int = 0) -> None:
        """Make an empty queue."""
        super().__init__(maxsize)
        self._waiting: deque[asyncio.Future[None]] = deque()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the last one in, see `queue.Queue.get`."""
        if not block or not loop_runs_here():
            return super().get(block, timeout)
        if not tornalet.can_wait():
            # Whoever has the place may need this very loop in order to give it back.
            return super().get(block=False)
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            with contextlib.suppress(queue.Empty):
                return super().get(block=False)
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                raise queue.Empty
            self._wait_for_news(left)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put one in, and wake one who waits for it."""
        super().put(item, block, timeout)
        if self._waiting:
            self._wake_one()

    def _wait_for_news(self, seconds: float | None) -> None:
        news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(news)
        try:
            with contextlib.suppress(TimeoutError):
                tornalet.wait(asyncio.wait_for(news, seconds))
        except BaseException:
            # It may have been woken in this very moment, and then another one should be.
            self._wake_one()
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(news)

    def _wake_one(self) -> None:
        with contextlib.suppress(IndexError):
            news = self._waiting.popleft()
            # Places are given back on other threads too.
            with contextlib.suppress(RuntimeError):
                news.get_loop().call_soon_threadsafe(_settle, news)


def _settle(news: asyncio.Future[None]) -> None:
    if not news.done():
        news.set_result(None)


class PolitePool(HTTPConnectionPool):
    """A pool of connections that yield to the loop.

    Args:
        outside: what to do where nobody can wait for them.
        *args: see `urllib3.HTTPConnectionPool`.
        **kwargs: see `urllib3.HTTPConnectionPool`.
    """

    ConnectionCls: type[PoliteConnection] = PoliteConnection
    QueueCls = PoliteQueue

    def __init__(
        self,
        *args: Any,
        outside: Outside = "warn",
        maxsize: int = 1,
        block: bool = False,
        **kwargs: Any,
    ) -> None:
        """Make a pool for one host."""
        # A pool that lets everybody in needs no places; as many connections are kept as asked.
        kwargs.update(maxsize=maxsize if block else 0, block=block)
        super().__init__(*args, **kwargs)
        assert self.pool
        self.pool.maxsize = maxsize
        self.outside = outside

    def _new_conn(self) -> Any:
        connection = super()._new_conn()
        connection.outside = self.outside  # type: ignore[attr-defined]
        return connection

    def _get_conn(self, timeout: float | None = None) -> Any:
        try:
            return super()._get_conn(timeout)
        except Exception:
            raise
        except BaseException as cancelled:
            # Of all exceptions this is the one after which urllib3 does not give a place back
            # that it never had.
            raise EmptyPoolError(self, "cancelled") from cancelled

    def urlopen(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Send a request, see `urllib3.HTTPConnectionPool.urlopen`."""
        retries = kwargs.get("retries")
        if isinstance(retries, Retry) and retries.total:
            kwargs["retries"] = _polite_retry(retries)
        if tornalet.can_wait() or _told.get():
            try:
                return super().urlopen(method, url, *args, **kwargs)
            except EmptyPoolError as error:
                if error.__cause__ is None or isinstance(error.__cause__, Exception):
                    raise
                raise error.__cause__ from None
        tell(self.outside, f"{method} {self.scheme}://{self.host}{url}")
        token = _told.set(True)
        try:
            return super().urlopen(method, url, *args, **kwargs)
        finally:
            _told.reset(token)


class PoliteTLSPool(PolitePool, HTTPSConnectionPool):
    """The same with TLS."""

    ConnectionCls: type[PoliteTLSConnection] = PoliteTLSConnection


class _PoliteRetry(Retry):
    """A pause before another try that yields to the loop; mixed into the retries given."""

    def sleep_for_retry(self, response: Any) -> bool:
        seconds = self.get_retry_after(response)
        if seconds:
            _sleep(seconds)
        return bool(seconds)

    def _sleep_backoff(self) -> None:
        seconds = self.get_backoff_time()
        if seconds > 0:
            _sleep(seconds)


def _polite_retry(retries: Retry) -> Retry:
    if isinstance(retries, _PoliteRetry):
        return retries
    kind = type(retries)
    if kind not in _polite_kinds:
        _polite_kinds[kind] = type(kind.__name__, (_PoliteRetry, kind), {})
    polite = copy.copy(retries)
    polite.__class__ = _polite_kinds[kind]
    return polite


# A library may have retries of its own kind, with what it needs to know in them.
_polite_kinds = dict[type[Retry], type[Retry]]()


def _sleep(seconds: float) -> None:
    if tornalet.can_wait():
        tornalet.wait(asyncio.sleep(seconds))
    else:
        time.sleep(seconds)


def _addresses(host: str, port: int) -> list[Any]:
    """Return what `socket.getaddrinfo` says, without holding the loop meanwhile."""
    bare = host.strip("[]") if host.startswith("[") else host
    try:
        bare.encode("idna")
    except UnicodeError:
        raise LocationParseError(f"'{bare}', label empty or too long") from None
    family = allowed_gai_family()
    lookup = functools.partial(socket.getaddrinfo, bare, port, family, socket.SOCK_STREAM)
    if tornalet.can_wait():
        try:
            # An address needs no looking up, and so no other thread.
            return lookup(flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            loop = asyncio.get_running_loop()
            return tornalet.wait(loop.run_in_executor(THREADS, lookup))
    return lookup()
