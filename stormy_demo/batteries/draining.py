"""A server that can be told to end without cutting anybody off.

Draining has an order: nobody new is let in, connections on which nothing is asked are closed,
what is under way is answered, and whoever has not ended after some seconds is cut off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from socket import socket
from typing import Any

from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.web import Application
from tornado.websocket import WebSocketHandler

from loopfilm import handlers_at_work

PATIENCE = 10.0  # seconds
# In which what has arrived by now, a connection or a request, is noticed.
TURNS = 20
GOING_AWAY = 1001  # what a WebSocket is told by a server that ends


async def serve_until(
    stop: asyncio.Event,
    app: Application,
    sockets: list[socket],
    *,
    before_the_wait: Callable[[], object] = lambda: None,
    patience: float = PATIENCE,
) -> None:
    """Serve an application until an event is set; then drain, and return.

    Args:
        stop: the event.
        app: the application.
        sockets: where to listen; they are bound already, and are closed at the end.
        before_the_wait: called when nobody new is let in any more, to wake requests that wait
            for something which is not going to happen, such as long polls.
        patience: seconds that requests under way have to be answered.
    """
    server = _Server(app)
    server.app = app
    server.add_sockets(sockets)
    await stop.wait()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    server.stop()
    before_the_wait()
    await server.drain(patience)


class _Server(HTTPServer):
    """A server that knows on which of its connections a request is under way."""

    app: Application

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        super().initialize(*args, **kwargs)
        self.idle: set[HTTP1ServerConnection] = set()
        self.busy: set[HTTP1ServerConnection] = set()
        self.is_draining = False
        self.has_ended_one = asyncio.Event()

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        # Called when a connection begins to wait for a request: the one before is answered.
        assert isinstance(server_conn, HTTP1ServerConnection)
        self._now_in(self.idle, server_conn)
        if self.is_draining:
            server_conn.stream.close()
            # A next request may have been read by now, and nobody would get its answer.
            raise asyncio.CancelledError
        inner = super().start_request(server_conn, request_conn)
        return _Noticed(inner, lambda: self._now_in(self.busy, server_conn))

    def on_close(self, server_conn: object) -> None:
        assert isinstance(server_conn, HTTP1ServerConnection)
        self._now_in(None, server_conn)
        super().on_close(server_conn)

    def _now_in(
        self, place: set[HTTP1ServerConnection] | None, connection: HTTP1ServerConnection
    ) -> None:
        for each in (self.idle, self.busy):
            each.discard(connection)
        if place is not None:
            place.add(connection)
        self.has_ended_one.set()

    async def drain(self, patience: float) -> None:
        """Close what is idle, and wait for the rest, but not for ever."""
        self.is_draining = True
        for connection in list(self.idle):
            connection.stream.close()
        self._close_websockets()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(patience):
                while self.busy:
                    self.has_ended_one.clear()
                    await self.has_ended_one.wait()
                    # It may be one that was about to open, and has left its connection.
                    self._close_websockets()
                # A handler may still tidy up, and a WebSocket has left its connection.
                while tasks := [*handlers_at_work(self.app, loop)]:
                    await asyncio.wait(tasks)
        except TimeoutError:
            # A WebSocket has only its handler left, and half a request has none yet.
            handlers = handlers_at_work(self.app, loop).values()
            for each in [*self.busy, *(h.request.server_connection for h in handlers)]:
                assert isinstance(each, HTTP1ServerConnection)
                each.stream.close()

    def _close_websockets(self) -> None:
        for handler in handlers_at_work(self.app, asyncio.get_running_loop()).values():
            if isinstance(handler, WebSocketHandler):
                handler.close(GOING_AWAY, "the server ends")


class _Noticed(HTTPMessageDelegate):
    """Does what another one does, and says when the request begins."""

    def __init__(self, inner: HTTPMessageDelegate, begins: Callable[[], object]) -> None:
        self.inner, self.begins = inner, begins
        self.data_received = inner.data_received  # type: ignore[method-assign]
        self.finish = inner.finish  # type: ignore[method-assign]
        self.on_connection_close = inner.on_connection_close  # type: ignore[method-assign]

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self.begins()
        return self.inner.headers_received(start_line, headers)
