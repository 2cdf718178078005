"""The engine "simple": an exchange over Tornado's `SimpleAsyncHTTPClient`.

That client makes a connection for each request and closes it afterwards.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, cast

from tornado import simple_httpclient
from tornado.http1connection import HTTP1ConnectionParameters
from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders, HTTPOutputError
from tornado.iostream import IOStream, StreamClosedError, UnsatisfiableReadError
from urllib3.exceptions import (
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
)

from ..per_loop import PerLoop
from .answers import MAX_HEADERS, AnswerReader, Head
from .exchanges import HIGH_WATER, Exchange
from .outgoing import Outgoing
from .streams import ConnectedAlready, tls_context

# With these methods Tornado itself sends a body of unknown length in chunks.
CHUNKED_BY_TORNADO = {"POST", "PUT", "PATCH"}


class SimpleExchange(Exchange):
    """A request that is under way in Tornado's simple client."""

    engine = "simple"

    def __init__(self, pool: Any) -> None:
        """Get ready on the loop that is running."""
        super().__init__(pool)
        self.headers = _Sent()
        self.connection: _Connection | None = None
        self.sock: socket.socket | None = None
        self.in_pieces = self.connected = False
        self.write: Callable[[bytes], Awaitable[None]] | None = None
        self.sent: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None

    def _begin(self, method: str, url: str, sending: Outgoing) -> asyncio.Future[HTTPResponse]:
        context = tls_context(self.pool) if url.startswith("https") else None
        self.sock = self.pool.through_socks(self)
        self.headers = _Sent(sending.headers)
        if (self.headers.get("Connection") or "keep-alive").lower() == "keep-alive":
            # Which is what requests always asks for. Who asks for something else has it.
            self.headers["Connection"] = "close"
        self.in_pieces = sending.pieces is not None
        if self.in_pieces:
            self.sent = self.loop.create_future()
        self.own_chunks = (
            self.in_pieces and sending.length is None and method not in CHUNKED_BY_TORNADO
        )
        request = _Request(
            url,
            method,
            body=sending.whole or None,
            body_producer=cast(Any, self._produce) if self.in_pieces else None,
            connect_timeout=self.timeout or 0,
            request_timeout=0,
            follow_redirects=False,
            decompress_response=False,
            allow_nonstandard_methods=True,
            ssl_options=context,
        )
        request.exchange = self
        return _clients.of(self.loop).fetch(request, raise_error=False)

    async def _produce(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        # `_upload` sends the pieces, in the greenlet of the caller.
        self.write = write
        self.wake()
        if self.sent:
            await self.sent

    def _upload(self, pieces: Iterator[bytes], sending: Outgoing) -> None:
        self.until(lambda: self.write is not None)
        write = self.write
        if write is None:
            # There is no connection: nothing of the body is read.
            return
        for piece in pieces:
            if self.over():
                break
            if self.own_chunks:
                piece = b"%x\r\n%b\r\n" % (len(piece), piece)
            self._send(write, piece)
        if self.own_chunks and not self.over():
            self._send(write, b"0\r\n\r\n")
        self.since = self.loop.time()
        if self.sent and not self.sent.done():
            self.sent.set_result(None)

    def _send(self, write: Callable[[bytes], Awaitable[None]], piece: bytes) -> None:
        self.since = self.loop.time()
        try:
            written = asyncio.ensure_future(write(piece))
        except HTTPOutputError as error:
            # More is sent than the caller's own Content-Length says.
            raise self._stock_error(error) from error
        written.add_done_callback(self._written)
        # At least one turn for others on the loop, however fast the server takes it.
        self.wait_until_sent(written.done)

    def _written(self, written: asyncio.Future[None]) -> None:
        if not written.cancelled():
            written.exception()
        self.wake()

    def _began(self) -> float | None:
        if not self.connected or (self.sent and not self.sent.done()):
            return None
        return self.since

    def received(self, piece: bytes) -> Awaitable[None] | None:
        """Keep a piece; above the high-water mark, return what to wait for before the next."""
        self.put(piece)
        if self.size < HIGH_WATER:
            return None
        self._room = self.loop.create_future()
        return self._room

    def _resume(self) -> None:
        if self._room and not self._room.done():
            self._room.set_result(None)

    def _drop(self) -> None:
        if self.connection:
            self.connection.drop()

    def _forget(self) -> None:
        super()._forget()
        self.connection = self.write = None

    def _stock_error(self, error: BaseException) -> BaseException:
        pool = self.pool
        this: Any = self
        if isinstance(error, simple_httpclient.HTTPTimeoutError):
            return self.too_late(str(error))
        if isinstance(error, socket.gaierror):
            return NameResolutionError(pool.host, this, error)
        if isinstance(error, UnicodeError):
            return LocationParseError(f"'{pool.host}', label empty or too long")
        if isinstance(error, ssl.SSLError | http.client.HTTPException | HTTPError):
            return error
        if isinstance(error, OSError) and not self.connected:
            return NewConnectionError(this, f"Failed to establish a new connection: {error}")
        if isinstance(error, UnsatisfiableReadError):
            return http.client.LineTooLong("header line")
        gone = isinstance(error, StreamClosedError | simple_httpclient.HTTPStreamClosedError)
        if gone and self.head:
            return http.client.IncompleteRead(b"")
        if gone:
            return http.client.RemoteDisconnected(
                "Remote end closed connection without response"
            )
        if isinstance(error, OSError):
            return error
        return ProtocolError("Connection aborted.", error)


class _Sent:
    """Headers with their names as they were given, which Tornado's own would change.

    A name may stand there several times; to set it makes them one.
    """

    def __init__(self, headers: Iterable[tuple[str, str]] = ()) -> None:
        self.all = list(headers)

    def __contains__(self, name: str) -> bool:
        return bool(self._values(name))

    def __getitem__(self, name: str) -> str:
        if values := self._values(name):
            return values[-1]
        raise KeyError(name)

    def __setitem__(self, name: str, value: str) -> None:
        self.all = [pair for pair in self.all if pair[0].lower() != name.lower()]
        self.all.append((name, value))

    def get(self, name: str, default: str | None = None) -> str | None:
        values = self._values(name)
        return values[-1] if values else default

    def get_all(self) -> Iterable[tuple[str, str]]:
        return self.all

    def _values(self, name: str) -> list[str]:
        return [value for each, value in self.all if each.lower() == name.lower()]


class _Request(HTTPRequest):
    """A request that refers to its exchange."""

    exchange: SimpleExchange


class _Client(simple_httpclient.SimpleAsyncHTTPClient):
    def _connection_class(self) -> type:
        return _Connection


class _Connection(simple_httpclient._HTTPConnection):
    """A connection for one exchange; each refers to the other."""

    def __init__(
        self,
        client: Any,
        request: Any,
        release: Any,
        final: Any,
        size: int,
        tcp: Any,
        *limits: Any,
    ) -> None:
        self.exchange: SimpleExchange = request.exchange
        self.exchange.connection = self
        if self.exchange.sock:
            tcp = ConnectedAlready(self.exchange.sock)
        super().__init__(client, request, release, final, size, tcp, *limits)

    def run(self) -> asyncio.Task[None]:  # type: ignore[override]
        self.task = asyncio.ensure_future(super().run())
        return self.task

    def drop(self) -> None:
        self.final_callback = None  # type: ignore[assignment]
        self._release()
        self.task.cancel()
        if hasattr(self, "stream"):
            self.stream.close()
        if self.exchange.sock:
            self.exchange.sock.close()

    def _create_connection(self, stream: IOStream) -> Any:
        exchange = self.exchange
        exchange.connected = exchange.has_connected_to_proxy = True
        exchange.since = exchange.loop.time()
        # Replaces those to which Tornado has added, such as a Content-Type.
        self.request.headers = cast(Any, exchange.headers)
        stream.set_nodelay(True)
        parameters = HTTP1ConnectionParameters(
            no_keep_alive=True,
            max_header_size=self.max_header_size,
            max_body_size=self.max_body_size,
        )
        return AnswerReader(stream, True, parameters)

    def head_came(self, head: Head) -> None:
        self.code, self.reason, self.headers = head.status, head.reason, HTTPHeaders()
        self.exchange.head = head
        self.exchange.wake()

    def failed(self, error: Exception) -> None:
        self._handle_exception(type(error), error, None)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self.exchange.received(chunk)

    def finish(self) -> None:
        # A body of unknown length ends with its connection, which may have broken.
        error = self.stream.error
        super().finish()
        self.exchange.end(error)

    def on_connection_close(self) -> None:
        if self.final_callback is not None:
            error = self.stream.error or simple_httpclient.HTTPStreamClosedError(
                "Connection closed"
            )
            self._handle_exception(type(error), error, None)


def _client() -> _Client:
    # Not the client that a whole loop shares: it has ten requests under way at most, and the
    # eleventh would wait behind code that has nothing to do with it.
    return _Client(
        force_instance=True,
        max_clients=sys.maxsize,
        max_body_size=sys.maxsize,
        max_header_size=MAX_HEADERS,
    )


_clients = PerLoop(_client)
