"""The lanes of an application: one for each request, named after its user.

What runs the application is given a wrapper of it::

    server = HTTPServer(labelled(app))
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.routing import Router

from .lanes import Lane, in_lane

# All that an `HTTPServer` serves: an application, a router, another delegate, or a callable.
Served = HTTPServerConnectionDelegate | Callable[[HTTPServerRequest], None]


def by_user(request: HTTPServerRequest) -> str | None:
    """Name a request after its `user` argument, or after its path if there is none."""
    user = request.query_arguments.get("user", [b""])[-1].decode("utf-8", "replace").strip()
    return user or request.path


def lane_name(app: Served, request: HTTPServerRequest) -> str | None:
    """Return the lane in which an application puts a request.

    The application's setting `lane` decides: a function such as `by_user`, which is what counts
    if there is no such setting, or `None` for an application whose requests are not drawn.

    Args:
        app: the application.
        request: the request, of which only the headers need to have come.

    Returns:
        The name of the lane, or `None` if the request has none.
    """
    naming: Callable[[HTTPServerRequest], str | None] | None
    naming = getattr(app, "settings", {}).get("lane", by_user)
    return naming(request) if naming else None


def labelled(app: Served) -> Router:
    """Wrap an application so that the handler of each request runs in the request's lane.

    A lane that the client is in does not reach the handler: only bytes travel between them.

    Args:
        app: an application, or whatever else an `HTTPServer` serves: a router, another
            `HTTPServerConnectionDelegate`, a callable. See `lane_name` for its setting.

    Returns:
        What to give to the `HTTPServer` in its place; it behaves in the same way.
    """
    return _LabelledApp(app)


class _LabelledApp(Router):
    def __init__(self, app: Served) -> None:
        self.app = app
        # It never listens. It knows what Tornado calls for each kind of application.
        self.server = HTTPServer(app)

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        inner = self.server.start_request(server_conn, request_conn)
        return _LabelledRequest(self.app, inner, request_conn)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate:
        # As the target of another router, which does the same with what is no router.
        assert request.connection is not None
        return self.start_request(request.server_connection, request.connection)


class _LabelledRequest(HTTPMessageDelegate):
    """Passes what comes of one request on to the application, in the request's lane.

    The lane is set around each call and reset after it: the calls come from the connection's
    own task, which goes on to read the next request.
    """

    def __init__(
        self, app: Served, inner: HTTPMessageDelegate, request_conn: HTTPConnection
    ) -> None:
        self.app = app
        self.inner = inner
        self.request_conn = request_conn
        self.lane: Lane | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        assert isinstance(start_line, RequestStartLine)
        self.lane = self.lane_of(start_line, headers)
        # Here the handler of a streamed body starts.
        with in_lane(self.lane):
            return self.inner.headers_received(start_line, headers)

    def lane_of(self, start_line: RequestStartLine, headers: HTTPHeaders) -> Lane | None:
        try:
            request = HTTPServerRequest(
                start_line=start_line, headers=headers, connection=self.request_conn
            )
        except HTTPInputError:
            # What to say to a malformed request is the application's affair.
            return None
        name = lane_name(self.app, request)
        if name is None:
            return None
        lane = Lane(name, is_request=True)
        _note_when_finished(self.request_conn, lane)
        return lane

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        with in_lane(self.lane):
            return self.inner.data_received(chunk)

    def finish(self) -> None:
        # Here every other handler starts.
        with in_lane(self.lane):
            self.inner.finish()

    def on_connection_close(self) -> None:
        with in_lane(self.lane):
            self.inner.on_connection_close()


def _note_when_finished(connection: HTTPConnection, lane: Lane) -> None:
    """Have a connection write down in the lane when the handler finishes its answer.

    The steps do not show it: Tornado looks at the handler's result one step later, when the
    next handler may already have begun, and a handler may go on after its answer.
    """
    # The connection has this function, which therefore may not keep it: a cycle would keep all
    # that belongs to the request until the garbage collector comes.
    served = weakref.ref(connection)
    finish = type(connection).finish

    def finish_and_note() -> None:
        lane.finished = time.perf_counter()
        if (connection := served()) is not None:
            finish(connection)

    # The connection object serves this one request, so the method need not be put back.
    connection.finish = finish_and_note  # type: ignore[method-assign]
