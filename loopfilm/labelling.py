"""The lanes of an application: one for each request, named after its user.

What runs the application is given a wrapper of it::

    server = HTTPServer(labelled(app))
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.routing import Router

from .lanes import Lane, in_lane


def by_user(request: HTTPServerRequest) -> str | None:
    """Name a request after its `user` argument, or after its path if there is none."""
    user = request.query_arguments.get("user", [b""])[-1].decode("utf-8", "replace").strip()
    return user or request.path


def lane_name(app: Router, request: HTTPServerRequest) -> str | None:
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


def labelled(app: Router) -> Router:
    """Wrap an application so that the handler of each request runs in the request's lane.

    A lane that the client is in does not reach the handler: only bytes travel between them.

    Args:
        app: an application, or a router; see `lane_name` for its setting.

    Returns:
        What to give to the `HTTPServer` in its place; it behaves in the same way.
    """
    return _LabelledApp(app)


class _LabelledApp(Router):
    def __init__(self, app: Router) -> None:
        self.app = app

    def find_handler(
        self, request: HTTPServerRequest, **kwargs: Any
    ) -> HTTPMessageDelegate | None:
        inner = self.app.find_handler(request, **kwargs)
        if inner is None:
            return None
        name = lane_name(self.app, request)
        if name is None:
            return _LabelledRequest(inner, None)
        lane = Lane(name, is_request=True)
        assert request.connection is not None
        _note_when_finished(request.connection, lane)
        return _LabelledRequest(inner, lane)


class _LabelledRequest(HTTPMessageDelegate):
    """Passes what comes of one request on to the application, in the request's lane.

    The lane is set around each call and reset after it: the calls come from the connection's
    own task, which goes on to read the next request.
    """

    def __init__(self, inner: HTTPMessageDelegate, lane: Lane | None) -> None:
        self.inner = inner
        self.lane = lane

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        # Here the handler of a streamed body starts.
        with in_lane(self.lane):
            return self.inner.headers_received(start_line, headers)

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
    finish = connection.finish

    def finish_and_note() -> None:
        lane.finished = time.perf_counter()
        finish()

    # The connection object serves this one request, so the method need not be put back.
    connection.finish = finish_and_note  # type: ignore[method-assign]
