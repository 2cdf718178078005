"""The engine "curl": an exchange over Tornado's `CurlAsyncHTTPClient`.

Tornado lets a callback set options of libcurl: here, what to send, and who gets the answer. So
libcurl can be paused in both directions, for which Tornado's client has no way.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import ssl
import weakref
from collections.abc import Iterator
from typing import Any, cast

import pycurl
from tornado.curl_httpclient import CurlAsyncHTTPClient, CurlError
from tornado.httpclient import HTTPRequest, HTTPResponse
from urllib3.exceptions import (
    InvalidHeader,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
)

from .. import keeping
from ..per_loop import PerLoop
from .answers import Head, is_interim
from .curl_options import set_options
from .exchanges import HIGH_WATER, Exchange
from .kept import Kept
from .outgoing import Outgoing

# Error codes of libcurl.
TLS_ERRORS = {35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91}
NO_HOST, BAD_ANSWER, TIMED_OUT, NO_ANSWER, RECEIVE_ERROR = 6, 8, 28, 52, 56
NO_CONNECTION = {5, 7, 97}  # no such proxy; to the server or proxy; to a SOCKS proxy


class CurlExchange(Exchange):
    """A request that is under way in Tornado's curl client."""

    engine = "curl"
    unknown = (*Exchange.unknown, "ssl_context")

    def __init__(self, pool: Any) -> None:
        """Get ready on the loop that is running."""
        super().__init__(pool)
        self.client = _clients.of(self.loop)
        self.curl: pycurl.Curl | None = None
        self.sock: socket.socket | None = None
        self.lines = list[bytes]()
        self.header_error: Exception | None = None
        self.tunnels = False
        self.held_up = self.starving = False
        self.outbox = memoryview(b"")
        self.all_given = True
        self.all_sent = True

    @classmethod
    def let_go(cls, pool: Any) -> None:
        """Close the connections that are kept for a pool."""
        if kept := _kept.pop(pool, None):
            kept.close()

    def _begin(self, method: str, url: str, sending: Outgoing) -> Any:
        self.method = method
        self.url = url
        self.sending = sending
        self.sock = self.pool.through_socks(self)
        self.all_given = self.all_sent = sending.pieces is None
        self.tunnels = bool(self.proxy) and url.startswith("https")
        request = HTTPRequest(
            url,
            "HEAD" if method == "HEAD" else "GET",
            connect_timeout=0,
            request_timeout=0,
            follow_redirects=False,
            decompress_response=False,
            validate_cert=self.is_verified,
            prepare_curl_callback=self._prepare,
        )
        return self.client.fetch(request, raise_error=False)

    # -- what libcurl is asked for ---------------------------------------------------------

    def _prepare(self, curl: pycurl.Curl) -> None:
        if self.closed:
            raise ConnectionAbortedError("nobody waits for it any more")
        self.curl = curl
        set_options(self, curl)
        kept = _kept_for(self.pool, self.loop)
        kept.begin(curl)
        self.client.in_use[curl] = kept

    # -- what libcurl calls: it must not be called back from here --------------------------

    def header(self, line: bytes) -> int | None:
        """Take a line of the headers."""
        if self.head:
            # A trailer, after the body: http.client drops it too.
            return None
        if line.startswith(b"HTTP/"):
            self.lines = [line]
        elif line.strip():
            self.lines.append(line)
        else:
            try:
                self._headers_came()
            except http.client.HTTPException as error:
                self.header_error = error
                return -1
        return None

    def _headers_came(self) -> None:
        lines, self.lines = self.lines, []
        if not lines or is_interim(lines[0]):
            return
        head = Head(b"".join([*lines, b"\r\n"]), self.method)
        if self.tunnels:
            # The answer of the proxy; if it refuses, libcurl reports that as an error.
            self.tunnels = not 200 <= head.status < 300
            return
        self.head = head
        self.wake()

    def received(self, piece: bytes) -> int | None:
        """Take a piece of the body, or pause libcurl."""
        if self.size >= HIGH_WATER:
            self.held_up = True
            return int(pycurl.WRITEFUNC_PAUSE)
        self.put(piece)
        return None

    def read(self, size: int) -> bytes | int:
        """Return what is to be sent next, or pause libcurl."""
        self.since = self.loop.time()
        piece = bytes(self.outbox[:size])
        if not piece and not self.all_given:
            self.starving = True
            self.wake()
            return int(pycurl.READFUNC_PAUSE)
        self.outbox = self.outbox[size:]
        if not self.outbox:
            self.all_sent = self.all_given
            self.wake()
        return piece

    # -- what calls libcurl, and never from one of its own calls ---------------------------

    def _go_on(self) -> None:
        if self.curl and self.fetch and not self.fetch.done():
            # If the transfer has failed meanwhile, the client gets the error.
            with contextlib.suppress(pycurl.error):
                self.curl.pause(pycurl.PAUSE_CONT)

    def _resume(self) -> None:
        if self.held_up:
            self.held_up = False
            self._go_on()

    def _upload(self, pieces: Iterator[bytes], sending: Outgoing) -> None:
        # Before libcurl asks for it, it may find nobody to send it to.
        self.until(lambda: self.starving or self._refused())
        while not (self._refused() or self.over()):
            piece = next(pieces, b"")
            if not piece:
                break
            self._give(memoryview(piece))
        self.all_given = True
        self._give(memoryview(b""))

    def _give(self, piece: memoryview) -> None:
        self.outbox = piece
        if self.starving:
            self.starving = False
            self._go_on()
        self.wait_until_sent(lambda: not self.outbox or self._refused())

    def _refused(self) -> bool:
        # After such an answer libcurl sends no more of the body.
        return self.head is not None and self.head.status >= 400

    def _began(self) -> float | None:
        if self.sending.pieces is not None:
            return self.since if self.all_sent else None
        if not self.curl or not self.fetch or self.fetch.done():
            return None
        spent = self.curl.getinfo(pycurl.PRETRANSFER_TIME)
        return self.start + spent if spent else None

    def _drop(self) -> None:
        if self.curl:
            self.client.drop(self.curl)

    # -- errors ----------------------------------------------------------------------------

    def _fetched(self, fetch: asyncio.Future[HTTPResponse]) -> None:
        error = None if fetch.cancelled() else fetch.exception()
        if self.lines and not self.head and not self.tunnels and _is_end(error):
            # http.client, too, takes headers that break off for complete.
            with contextlib.suppress(http.client.HTTPException):
                self._headers_came()
            chunked = self.head and "chunked" in self.head.message.get("Transfer-Encoding", "")
            self.end(http.client.IncompleteRead(b"") if chunked else None)
        else:
            self.end(error)
        self._forget()

    def _forget(self) -> None:
        super()._forget()
        self.curl = None

    def end(self, error: BaseException | None = None) -> None:
        """Say that nothing more comes."""
        super().end(error)
        if self.sock:
            # libcurl has closed its own copy of the descriptor.
            self.sock.close()

    def _stock_error(self, error: BaseException) -> BaseException:
        if self.header_error or not isinstance(error, CurlError):
            return self.header_error or error
        number, text = error.errno, error.message or str(error)
        if number in TLS_ERRORS:
            self.has_connected_to_proxy = bool(self.proxy) and not self.tunnels
            return ssl.SSLError(text)
        if self.head:
            return http.client.IncompleteRead(b"")
        pool, this = self.pool, cast(Any, self)
        if number == TIMED_OUT:
            return self.too_late(text)
        if number == NO_HOST:
            return NameResolutionError(pool.host, this, socket.gaierror(text))
        if number in NO_CONNECTION or (self.tunnels and number == RECEIVE_ERROR):
            return NewConnectionError(this, f"Failed to establish a new connection: {text}")
        self.has_connected_to_proxy = True
        if number == BAD_ANSWER and "Content-Length" in text:
            return InvalidHeader(text)
        if number == NO_ANSWER:
            text = "Remote end closed connection without response"
        if number in (NO_ANSWER, RECEIVE_ERROR):
            return http.client.RemoteDisconnected(text)
        return ProtocolError("Connection aborted.", error)


def _is_end(error: BaseException | None) -> bool:
    if not isinstance(error, CurlError):
        return error is None
    # More headers than libcurl takes are a RECEIVE_ERROR too.
    return error.errno in (NO_ANSWER, RECEIVE_ERROR) and "Too large" not in str(error)


class _Client(CurlAsyncHTTPClient):
    def initialize(self, **options: Any) -> None:  # type: ignore[override]
        super().initialize(**options)
        self._multi.setopt(pycurl.M_MAXCONNECTS, keeping.KEPT + keeping.most_spare())
        # For each handle that has something under way, whose connections it uses.
        self.in_use = dict[pycurl.Curl, Kept]()

    def _finish(
        self, curl: pycurl.Curl, curl_error: int | None = None, curl_message: str | None = None
    ) -> None:
        if curl_error == TIMED_OUT and curl.getinfo(pycurl.CONNECT_TIME):
            # The text of the other client, by which `Exchange.too_late` knows it.
            curl_message = "Timeout during TLS handshake"
        super()._finish(curl, curl_error, curl_message)
        self.in_use.pop(curl).end(curl)

    # libcurl may call these when its objects are collected, and the loop was closed before.

    def _set_timeout(self, msecs: int) -> None:
        if not self.io_loop.asyncio_loop.is_closed():  # type: ignore[attr-defined]
            super()._set_timeout(msecs)

    def _handle_socket(self, event: int, fd: int, multi: pycurl.CurlMulti, data: Any) -> None:
        if not self.io_loop.asyncio_loop.is_closed():  # type: ignore[attr-defined]
            super()._handle_socket(event, fd, multi, data)

    def drop(self, curl: pycurl.Curl) -> None:
        """End what is under way on a handle, at once."""
        self._finish(curl, pycurl.E_ABORTED_BY_CALLBACK, "aborted")
        self._process_queue()


def _client() -> _Client:
    # Not the client that a whole loop shares, as for "simple".
    return _Client(force_instance=True, max_clients=1000)


_clients = PerLoop(_client)


def _kept_for(pool: Any, loop: asyncio.AbstractEventLoop) -> Kept:
    return _kept.setdefault(pool, PerLoop(Kept)).of(loop)


# What libcurl keeps, for each pool and loop.
_kept = weakref.WeakKeyDictionary[Any, PerLoop[Kept]]()
