"""The lanes of an application: one for each request, named after its user.

While a film is made, the requests of all Tornado servers of the process get lanes. What runs an
application can have that at all times, and gives the server a wrapper of it::

    server = HTTPServer(labelled(app))
"""

from __future__ import annotations

import inspect
import time
import types
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from functools import partial
from typing import Any

from tornado.escape import parse_qs_bytes
from tornado.httpserver import HTTPServer, _ProxyAdapter
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream
from tornado.routing import Router

from .lanes import Kind, Lane
from .served import Served, as_served
from .steps import as_part_of_step


def by_user(request: HTTPServerRequest) -> str | None:
    """Name a request after its `user` argument, or after its path if there is none."""
    return _user_in(request.path, request.query_arguments)


def _user_in(path: str, arguments: Mapping[str, list[bytes]]) -> str:
    return arguments.get("user", [b""])[-1].decode("utf-8", "replace").strip() or path


def _user_of(uri: str) -> str:
    """Return what `by_user` does, for a tenth of the time and when somebody asks."""
    path, _, query = uri.partition("?")
    return _user_in(path, parse_qs_bytes(query, keep_blank_values=True))


def lane_name(app: Served, request: HTTPServerRequest) -> str | None:
    """Return the lane in which an application puts a request.

    The application's setting `lane` decides: a function such as `by_user`, which is what counts
    if there is no such setting, or `None` for an application whose requests are not drawn. If
    the function raises, or returns no text, the lane is named after the path: the request is
    answered all the same.

    Args:
        app: the application.
        request: the request, of which only the headers need to have come.

    Returns:
        The name of the lane, or `None` if the request has none.
    """
    naming = _naming(app)
    if naming is None:
        return None
    try:
        name = naming(request)
    except Exception:
        return request.path
    return name if name is None or isinstance(name, str) else request.path


def _naming(app: Served) -> Callable[[HTTPServerRequest], str | None] | None:
    naming: Callable[[HTTPServerRequest], str | None] | None
    naming = getattr(application_in(app), "settings", {}).get("lane", by_user)
    return naming


def application_in(app: Served) -> Served:
    """Return what a server serves in the end: it may be labelled, or in an `HTTPServer`."""
    while isinstance(app, _LabelledApp | HTTPServer):
        app = app.app if isinstance(app, _LabelledApp) else app.request_callback
    return app


def labelled(app: Served) -> Router:
    """Wrap an application so that the handler of each request runs in the request's lane.

    A lane that the client is in does not reach the handler: only bytes travel between them.

    Args:
        app: an application, or whatever else an `HTTPServer` serves: a router, another
            `HTTPServerConnectionDelegate`, a callable. See `lane_name` for its setting.

    Returns:
        What to give to the `HTTPServer` in its place; it behaves in the same way.

    Raises:
        TypeError: no `HTTPServer` serves that.
    """
    return _LabelledApp(as_served(app))


class _LabelledApp(Router):
    def __init__(self, app: Served) -> None:
        self.app = app
        # It never listens. It knows what Tornado calls for each kind of application.
        self.server = HTTPServer(app)

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        inner = self.server.start_request(server_conn, request_conn)
        return label(self.app, inner, request_conn)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate:
        # As the target of another router, which does the same with what is no router.
        assert request.connection is not None
        return self.start_request(request.server_connection, request.connection)


class LabelledRequest(HTTPMessageDelegate):
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
        self.adapter = inner if isinstance(inner, _ProxyAdapter) else None
        self.lane: Lane | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """Begin the request's lane, and pass its head on."""
        assert isinstance(start_line, RequestStartLine)
        # An application may be wrapped twice: by somebody, and as that of a server.
        self.lane = LANES.get(self.request_conn) or self.lane_of(start_line, headers)
        # Here the handler of a streamed body starts.
        received = as_part_of_step(self.lane, self.inner.headers_received, start_line, headers)
        return _in_lane_too(self.lane, received)

    def lane_of(self, start_line: RequestStartLine, headers: HTTPHeaders) -> Lane | None:
        """Return a lane for the request, unless its application wants none."""
        if _naming(self.app) is by_user:
            lane = Lane(partial(_user_of, start_line.path), Kind.REQUEST)
            note_when_finished(self.request_conn, lane)
            return lane
        if self.adapter is not None:
            # As it does in a moment: whose the request is, a header may say.
            self.adapter.connection.context._apply_xheaders(headers)  # type: ignore[attr-defined]
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
        lane = Lane(name, Kind.REQUEST)
        note_when_finished(self.request_conn, lane)
        return lane

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Pass a piece of its body on."""
        received = as_part_of_step(self.lane, self.inner.data_received, chunk)
        return _in_lane_too(self.lane, received)

    def finish(self) -> None:
        """Pass on that all of it has come."""
        # Here every other handler starts.
        as_part_of_step(self.lane, self.inner.finish)

    def on_connection_close(self) -> None:
        """Pass on that the client went away before that."""
        as_part_of_step(self.lane, self.inner.on_connection_close)
        # Before all of the request had come: nobody is there to answer.
        if self.lane is not None and self.lane.finished is None:
            self.lane.finished = time.perf_counter()


def _in_lane_too(lane: Lane | None, received: Awaitable[None] | None) -> Awaitable[None] | None:
    """Have what the connection's own task awaits take its steps in a lane."""
    if lane is None or not inspect.iscoroutine(received):
        return received
    return _steps_in_lane(lane, received)


@types.coroutine
def _steps_in_lane(
    lane: Lane, coroutine: Coroutine[Any, Any, None]
) -> Generator[Any, Any, None]:
    step = partial(coroutine.send, None)
    while True:
        try:
            awaited = as_part_of_step(lane, step)
        except StopIteration:
            return
        try:
            step = partial(coroutine.send, (yield awaited))
        except GeneratorExit:
            coroutine.close()
            raise
        except BaseException as error:
            step = partial(coroutine.throw, error)


# Of each connection object, which serves one request; and of those that had a handler before
# anybody could label it.
LANES: weakref.WeakKeyDictionary[HTTPConnection, Lane] = weakref.WeakKeyDictionary()
STRANGERS: weakref.WeakKeyDictionary[HTTPConnection, Lane] = weakref.WeakKeyDictionary()


def label(
    app: Served, inner: HTTPMessageDelegate, request_conn: HTTPConnection
) -> HTTPMessageDelegate:
    """Return what passes the parts of a request on in a lane, which `inner` may do already."""
    if isinstance(inner, LabelledRequest):
        return inner
    return LabelledRequest(app, inner, request_conn)


# -- the end of a request ----------------------------------------------------------------------


def note_when_finished(connection: HTTPConnection, lane: Lane) -> None:
    """Have a connection write down in the lane when the handler finishes its answer.

    The steps do not show it: Tornado looks at the handler's result one step later, when the
    next handler may already have begun, and a handler may go on after its answer. A handler
    that takes the connection over, as that of a WebSocket does, is finished when it is closed.
    """
    LANES[connection] = lane
    # The connection has these functions, which therefore may not keep it: a cycle would keep
    # all that belongs to the request until the garbage collector comes.
    served = weakref.ref(connection)
    finish = type(connection).finish

    def finish_and_note() -> None:
        if lane.finished is None:
            lane.finished = time.perf_counter()
        if (connection := served()) is not None:
            finish(connection)

    def detach_and_note() -> IOStream | None:
        if (connection := served()) is None:
            return None
        lane.finished = None
        stream: IOStream = type(connection).detach(connection)  # type: ignore[attr-defined]
        note_when_closed(stream, lane)
        return stream

    def call_in_lane(callback: Callable[[], None] | None) -> None:
        # The stream calls it, when the client has gone away.
        if callback is not None:
            callback = partial(as_part_of_step, lane, callback)
        if (connection := served()) is not None:
            type(connection).set_close_callback(connection, callback)  # type: ignore[attr-defined]

    # The connection object serves this one request, so the methods need not be put back.
    connection.finish = finish_and_note  # type: ignore[method-assign]
    if hasattr(connection, "set_close_callback"):
        connection.set_close_callback = call_in_lane
    if hasattr(connection, "detach"):
        connection.detach = detach_and_note


def note_when_closed(stream: IOStream, lane: Lane) -> None:
    """Have a stream write down in the lane when it is closed, by whomever."""
    closed = weakref.ref(stream)

    def close_and_note(*args: Any, **options: Any) -> None:
        if lane.finished is None:
            lane.finished = time.perf_counter()
        if (stream := closed()) is not None:
            type(stream).close(stream, *args, **options)

    if stream.closed():
        lane.finished = time.perf_counter()
    else:
        stream.close = close_and_note  # type: ignore[method-assign]
