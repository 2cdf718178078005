"""Whose step is it: a name tag that follows a request or a task through the event loop.

The loop runs one short step after another, and a step does not know on whose behalf it runs. A
context variable does: asyncio copies it into every callback, timer and task that a step leaves
behind. So it is enough to set it once, at the start::

    with lane("tick"):
        asyncio.create_task(tick())

    server = HTTPServer(labelled(app))  # every request in a lane of its own
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
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


@dataclass(eq=False)
class Lane:
    """One request, or one task.

    Two requests of one user are two lanes of one name, so lanes are compared by identity.

    Attributes:
        name: what to call it.
        is_request: whether somebody waits for its answer.
        finished: when the handler gave its answer away, in seconds of `time.perf_counter`;
            `None` while it has not, and for tasks.
    """

    name: str
    is_request: bool = False
    finished: float | None = None


LANE: ContextVar[Lane | None] = ContextVar("LANE", default=None)


@contextmanager
def lane(name: str) -> Iterator[None]:
    """Put what is started inside the block into a lane.

    Args:
        name: what to call the lane.
    """
    with _in_lane(Lane(name)):
        yield


@contextmanager
def _in_lane(lane: Lane | None) -> Iterator[None]:
    token = LANE.set(lane)
    try:
        yield
    finally:
        LANE.reset(token)


def by_user(request: HTTPServerRequest) -> str | None:
    """Name a request after its `user` argument, or after its path if there is none."""
    user = request.query_arguments.get("user", [b""])[-1].decode("utf-8", "replace").strip()
    return user or request.path


def name_of(app: Router, request: HTTPServerRequest) -> str | None:
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

    A lane that the client sets cannot reach the handler: only bytes travel between them.

    Args:
        app: an application, or a router; see `name_of` for its setting.

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
        name = name_of(self.app, request)
        if name is None:
            return _LabelledRequest(inner, None)
        lane = Lane(name, is_request=True)
        assert request.connection is not None
        _note_the_end(request.connection, lane)
        return _LabelledRequest(inner, lane)


class _LabelledRequest(HTTPMessageDelegate):
    """One request on its way to its handler.

    The lane is set around each call and taken back after it: the calls come from the
    connection's own task, which lives on to read the next request.
    """

    def __init__(self, inner: HTTPMessageDelegate, lane: Lane | None) -> None:
        self.inner = inner
        self.lane = lane

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        # This is where the handler of a streamed body starts.
        with _in_lane(self.lane):
            return self.inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        with _in_lane(self.lane):
            return self.inner.data_received(chunk)

    def finish(self) -> None:
        # This is where every other handler starts.
        with _in_lane(self.lane):
            self.inner.finish()

    def on_connection_close(self) -> None:
        with _in_lane(self.lane):
            self.inner.on_connection_close()


def _note_the_end(connection: HTTPConnection, lane: Lane) -> None:
    """Have the lane told when its handler finishes the answer.

    The steps alone do not say it: Tornado looks at the handler's result one step later, when
    the next handler may already have begun, and a handler may go on after its answer.
    """
    finish = connection.finish

    def finish_and_note() -> None:
        lane.finished = time.perf_counter()
        finish()

    # The connection object serves this one exchange, so nothing needs to be put back.
    connection.finish = finish_and_note  # type: ignore[method-assign]
