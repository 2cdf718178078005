"""One request and its answer, while it is under way between plain code and a Tornado client.

For urllib3, in plain code, it is a connection, from which the answer is read as late and as
slowly as anybody likes. On the loop, the client puts into it what comes, and stops reading from
the server above a high-water mark. Neither knows the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import http.client
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from tornado.httpclient import HTTPResponse
from urllib3 import HTTPHeaderDict, connection
from urllib3 import HTTPResponse as RawResponse
from urllib3.exceptions import ConnectTimeoutError
from urllib3.util.ssl_ import resolve_cert_reqs

import tornalet

from ..outside import report_blocking
from ..turns import give_way
from .answers import Head
from .bodies import Body, Original, RawAnswer
from .outgoing import Outgoing, outgoing
from .timeouts import checked
from .waiters import Due, Waiters

# Bytes that have come and that nobody has read yet. From the first on the client stops reading,
# and below the second it goes on.
HIGH_WATER = 1024 * 1024
LOW_WATER = 256 * 1024


# From version 2.7 on urllib3 puts the lines of a header that is folded together.
_header_values: Callable[[Any], Any] = getattr(
    connection, "_normalize_header_values", http.client.HTTPMessage.items
)


class Exchange:
    """A request that is under way, in the place of a urllib3 connection.

    Args:
        pool: whose request it is; it knows the host, the proxy, and what certificates to trust.
    """

    engine = ""
    # Settings of a pool that its client does not support.
    unknown: tuple[str, ...] = (
        "assert_fingerprint",
        "assert_hostname",
        "server_hostname",
        "socket_options",
        "source_address",
        "ssl_maximum_version",
        "ssl_minimum_version",
        "ssl_version",
    )
    is_closed = False
    is_taken = False
    proxy_is_verified = None
    has_connected_to_proxy = False

    def __init__(self, pool: Any) -> None:
        """Get ready on the loop that is running."""
        self.pool = pool
        self.host, self.port, self.proxy = pool.host, pool.port, pool.proxy
        self.is_verified = resolve_cert_reqs(getattr(pool, "cert_reqs", None)) != ssl.CERT_NONE
        self.loop = asyncio.get_running_loop()
        # Seconds, or None for no limit: first for connecting, and for each piece that is sent;
        # then for each part of the answer.
        self.timeout: float | None = None
        self.connect_timeout: float | None = None
        self.total: float | None = None
        self.start = self.since = 0.0
        self.fetch: asyncio.Future[HTTPResponse] | None = None
        self.head: Head | None = None
        self.error: BaseException | None = None
        self.ended = self.closed = False
        self.pieces = deque[bytes | memoryview]()
        self.size = 0
        # When others on the loop last had a turn, in seconds of `time.monotonic`.
        self.since = 0.0
        self.waiters = Waiters(self.loop)

    def __repr__(self) -> str:
        """Return what urllib3's connections return."""
        return f"HTTPConnection(host={self.host!r}, port={self.port!r})"

    @classmethod
    def let_go(cls, pool: Any) -> None:
        """Close the connections that a client keeps for a pool, if it keeps any."""

    # -- what a client does ----------------------------------------------------------------

    def _begin(self, method: str, url: str, sending: Outgoing) -> asyncio.Future[HTTPResponse]:
        """Let the client begin."""
        raise NotImplementedError

    def _upload(self, pieces: Iterator[bytes], sending: Outgoing) -> None:
        """Send a body that is not sent yet, from plain code."""
        raise NotImplementedError

    def _began(self) -> float | None:
        """Return when all was sent, in the loop's time, or None if it is not."""
        raise NotImplementedError

    def _resume(self) -> None:
        """Let the client fetch more, if it was held up."""
        raise NotImplementedError

    def _drop(self) -> None:
        """Let the client end what is under way, on the loop."""
        raise NotImplementedError

    def _stock_error(self, error: BaseException) -> BaseException:
        """Return what the standard library or urllib3 would have raised."""
        raise NotImplementedError

    # -- for urllib3, in plain code --------------------------------------------------------

    def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        *,
        chunked: bool = False,
        preload_content: bool = True,
        decode_content: bool = True,
        enforce_content_length: bool = True,
    ) -> None:
        """Send a request, see `urllib3.connection.HTTPConnection.request`."""
        target, netloc = self.pool.address(url)
        self._made: dict[str, Any] = {
            "preload_content": preload_content,
            "decode_content": decode_content,
            "enforce_content_length": enforce_content_length,
            "request_method": method,
            "request_url": url,
        }
        sending = outgoing(method, netloc, body, headers or {}, chunked)
        self.connect_timeout = self.timeout = checked(self.timeout)
        self.start = self.loop.time()
        self.fetch = self._begin(method, target, sending)
        self.fetch.add_done_callback(self._fetched)
        if sending.pieces is not None:
            self._upload(sending.pieces, sending)

    def getresponse(self) -> RawResponse:
        """Wait for the headers, see `urllib3.connection.HTTPConnection.getresponse`."""
        self.timeout = checked(self.timeout)
        self.until(lambda: self.head is not None, self._due_for_headers)
        head = self.head
        if head is None:
            raise self.error or http.client.RemoteDisconnected(
                "Remote end closed connection without response"
            )
        self.has_connected_to_proxy = True
        if self.total is not None:
            spent = (self._began() or self.start) - self.start
            left = max(self.total - spent, 0.001)
            self.timeout = left if self.timeout is None else min(self.timeout, left)
        body = Body(self)
        raw = RawAnswer(
            body=body,  # type: ignore[arg-type]
            headers=HTTPHeaderDict(_header_values(head.message)),
            status=head.status,
            version=head.number,
            version_string=head.version,
            reason=head.reason,
            original_response=Original(head, body),  # type: ignore[arg-type]
            **self._made,
        )
        body.left = None if raw.chunked else raw.length_remaining
        return raw

    def close(self) -> None:
        """End the request, if it is under way; from any thread, and from a finalizer too."""
        if self.closed or not self.fetch or self.over():
            return
        self.closed = True
        # A finalizer may run at any moment, in the middle of the client's own work too. If the
        # loop is closed, there is a RuntimeError.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._abort)

    def take(self, most: int | None) -> bytes:
        """Return what has come, or wait for it.

        Args:
            most: the number of bytes at most; None is as many as there are in one piece.

        Returns:
            Some bytes, or none at the end.

        Raises:
            TimeoutError: nothing came in time.
            RuntimeError: this is the thread of the loop, and nobody can wait here.
            Exception: what ended the answer before its end.
        """
        running = asyncio._get_running_loop()
        if self.over() or (running is self.loop and self.pieces):
            self.since = give_way(self.since)
            return self._pop(most)
        if running is self.loop:
            if not tornalet.can_wait():
                raise RuntimeError(
                    "the rest of this answer comes through the event loop that is held up "
                    "here: read it underneath @tornalet, or on another thread"
                )
            piece = tornalet.wait(self._take(most))
            self.since = time.monotonic()
            return piece
        if not self.loop.is_running():
            raise RuntimeError("the event loop that brought this answer has ended")
        future = asyncio.run_coroutine_threadsafe(self._take(most), self.loop)
        if tornalet.can_wait():
            return tornalet.wait(asyncio.wrap_future(future))
        report_blocking(self.pool.outside, "waiting for an answer")
        return future.result()

    # -- for the client, on the loop -------------------------------------------------------

    def put(self, piece: bytes) -> None:
        """Keep a piece of the answer until it is read."""
        if not self.closed:
            self.pieces.append(piece)
            self.size += len(piece)
        self.wake()

    def wake(self) -> None:
        """Let all who wait check again."""
        self.waiters.wake()

    def end(self, error: BaseException | None = None) -> None:
        """Say that nothing more comes."""
        if not self.ended:
            self.ended = True
            self.error = error and self._stock_error(error)
            self.wake()

    def over(self) -> bool:
        """Return whether nothing more comes."""
        if not self.ended and self.fetch and self.fetch.done():
            self._fetched(self.fetch)
        return self.ended

    # -- waiting ---------------------------------------------------------------------------

    def until(self, ready: Callable[[], bool], due: Due | None = None) -> None:
        """Wait in a greenlet until something is so, or the answer is over.

        Args:
            ready: whether it is.
            due: when the time is over, in the loop's time; None is that nobody knows yet.

        Raises:
            TimeoutError: it is over.
        """
        while not ready() and not self.over():
            tornalet.wait(self._news(due))

    def wait_until_sent(self, ready: Callable[[], bool]) -> None:
        """Wait until a piece is sent, at most as long as connecting may take."""
        self.until(ready, lambda: self.since and self.since + (self.timeout or 0))

    async def _take(self, most: int | None) -> bytes:
        while not self.pieces and not self.over():
            due = self.loop.time() + (self.timeout or 0)
            await self._news(functools.partial(float, due))
        return self._pop(most)

    def _news(self, due: Due | None) -> Awaitable[None]:
        spans = [span for span in (self.timeout, self.total) if span is not None]
        return self.waiters.news(due, min(spans)) if due and spans else self.waiters.news()

    def _due_for_headers(self) -> float | None:
        began = self._began()
        due = None if began is None or self.timeout is None else began + self.timeout
        if self.total is None:
            return due
        return min(due or self.start + self.total, self.start + self.total)

    # -- within ----------------------------------------------------------------------------

    def _pop(self, most: int | None) -> bytes:
        if not self.pieces:
            if self.error and not self.closed:
                raise self.error
            return b""
        piece = self.pieces.popleft()
        if most is not None and len(piece) > most:
            self.pieces.appendleft(memoryview(piece)[most:])
            piece = piece[:most]
        self.size -= len(piece)
        if self.size < LOW_WATER and not self.ended:
            self._resume()
        return bytes(piece)

    def _fetched(self, fetch: asyncio.Future[HTTPResponse]) -> None:
        # asyncio logs an exception that nobody has retrieved.
        self.end(None if fetch.cancelled() else fetch.exception())
        self._forget()

    def _forget(self) -> None:
        """Drop references to the client's objects: breaks a reference cycle."""
        self.fetch = None

    def _abort(self) -> None:
        if not self.over():
            self._drop()
            self.pieces.clear()
            self.end()

    def too_late(self, what: str) -> BaseException:
        """Return the exception for a connection that was not made in time."""
        if "TLS" in what or "SSL" in what:
            # Stock requests has connected by then, and it is a read that times out.
            return TimeoutError("timed out")
        pool = self.pool
        return ConnectTimeoutError(
            self,
            f"Connection to {pool.host} timed out. (connect timeout={self.connect_timeout})",
        )
