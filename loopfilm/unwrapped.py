"""The requests of servers that nobody has wrapped: those to come, and those under way.

While a film is made, the servers of the whole process label what comes. What came before, and
has not ended, is found by its handler, which runs in a task.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPMessageDelegate,
)
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

from .labelling import (
    LANES,
    STRANGERS,
    LabelledRequest,
    label,
    lane_name,
    note_when_closed,
    note_when_finished,
)
from .lanes import LANE, Kind, Lane
from .served import Served

_lock = threading.Lock()


class _Patch:
    """What stands in the place of a method of all servers until the last film has ended."""

    def __init__(self) -> None:
        self.films = 0
        self.before = before = HTTPServer.start_request

        def start_labelled_request(
            server: HTTPServer, server_conn: object, request_conn: HTTPConnection
        ) -> HTTPMessageDelegate:
            inner = before(server, server_conn, request_conn)
            # Whoever has wrapped this meanwhile calls it for ever.
            return label(server.request_callback, inner, request_conn) if self.films else inner

        self.method = start_labelled_request
        HTTPServer.start_request = self.method  # type: ignore[method-assign, assignment]

    def end(self) -> None:
        # Somebody else may have replaced the method since, and may call ours.
        if HTTPServer.start_request is self.method:
            HTTPServer.start_request = self.before  # type: ignore[method-assign]


_patch: _Patch | None = None


@contextmanager
def every_server() -> Iterator[None]:
    """Have the requests of all servers labelled, as long as the block lasts."""
    global _patch
    with _lock:
        patch = _patch = _patch or _Patch()
        patch.films += 1
    try:
        yield
    finally:
        with _lock:
            patch.films -= 1
            if not patch.films:
                patch.end()
                _patch = None


SERVES = HTTP1ServerConnection._server_request_loop.__code__


def label_next_requests(loop: asyncio.AbstractEventLoop) -> None:
    """Label the request that each connection waits for, or has begun to read.

    A connection asks the server what to do with a request before it comes.

    Args:
        loop: the loop of the connections.
    """
    for task in asyncio.all_tasks(loop):
        coroutine = task.get_coro()
        if inspect.iscoroutine(coroutine) and coroutine.cr_code is SERVES:
            found = inspect.getcoroutinelocals(coroutine)
            server, connection = found.get("delegate"), found.get("conn")
            delegate = found.get("request_delegate")
            if isinstance(server, HTTPServer) and connection and delegate:
                _label_in_place(server.request_callback, delegate, connection)


def _label_in_place(app: Served, delegate: HTTPMessageDelegate, connection: Any) -> None:
    """Do what `label` does where somebody has the delegate already."""
    if not type(delegate).__module__.startswith("tornado."):
        # Somebody's own may serve many requests.
        return
    if connection in LANES or connection in STRANGERS or "finish" in vars(delegate):
        return
    request = LabelledRequest(app, delegate, connection)
    request.inner = _AsItWas(delegate)
    if connection._request_start_line is not None:
        request.lane = request.lane_of(
            connection._request_start_line, connection._request_headers
        )
    for name in ("headers_received", "data_received", "finish", "on_connection_close"):
        setattr(delegate, name, getattr(request, name))


class _AsItWas(HTTPMessageDelegate):
    """What a delegate does by itself."""

    def __init__(self, delegate: HTTPMessageDelegate) -> None:
        self.headers_received = delegate.headers_received  # type: ignore[method-assign]
        self.data_received = delegate.data_received  # type: ignore[method-assign]
        self.finish = delegate.finish  # type: ignore[method-assign]
        self.on_connection_close = delegate.on_connection_close  # type: ignore[method-assign]


def requests_at_work(
    loop: asyncio.AbstractEventLoop,
) -> Iterator[tuple[asyncio.Task[Any], RequestHandler]]:
    """Return the handlers on a loop that have not ended, each with its task.

    Args:
        loop: the loop.
    """
    # Tornado keeps no list of them, but each runs in a task, as a method of its handler.
    for task in asyncio.all_tasks(loop):
        coroutine = task.get_coro()
        if inspect.iscoroutine(coroutine):
            handler = inspect.getcoroutinelocals(coroutine).get("self")
            if isinstance(handler, RequestHandler):
                yield task, handler


def lane_of_stranger(handler: RequestHandler) -> Lane | None:
    """Return a lane for a request that came before anybody could label it.

    Args:
        handler: its handler, which has not ended.

    Returns:
        The lane, or `None` if it has one, or such requests have none.
    """
    connection = handler.request.connection
    if connection is not None and connection in STRANGERS:
        # A handler can have several tasks, and be in several films.
        return STRANGERS[connection]
    if connection is None or connection in LANES:
        return None
    name = lane_name(handler.application, handler.request)
    if name is None:
        return None
    lane = STRANGERS[connection] = Lane(name, Kind.REQUEST)
    stream = getattr(getattr(handler, "ws_connection", None), "stream", None)
    if isinstance(handler, WebSocketHandler) and stream is not None:
        note_when_closed(stream, lane)
    elif handler._finished:
        lane.finished = time.perf_counter()
    else:
        note_when_finished(connection, lane)
    return lane


def leave_out(handler: RequestHandler) -> None:
    """Have a request be in no film from now on: what its handler does is in no lane.

    Args:
        handler: its handler, whose own task calls this.
    """
    LANE.set(None)
    if handler.request.connection is not None:
        LANES.setdefault(handler.request.connection, Lane("", Kind.REQUEST))
