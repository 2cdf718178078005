"""What ASGI calls the parts of a conversation, and how it says what a request is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast
from urllib.parse import unquote

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPServerRequest

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

# From 2.4 on an application may rely on `send` alone to tell it that the client has left. Here
# `send` does; but a stream of Starlette would then end no sooner than at its next piece.
VERSIONS = {"version": "3.0", "spec_version": "2.3"}


def make_scope(request: HTTPServerRequest, root_path: str = "") -> dict[str, Any]:
    """Say in the words of ASGI what a request is ("HTTP Connection Scope").

    Args:
        request: the request, of which the headers have come.
        root_path: the part of the path under which the application stands, such as "/theirs".
            It stays in the path too.

    Returns:
        The scope.
    """
    connection = cast(HTTP1Connection, request.connection)
    own = connection.stream.socket
    # A Unix socket has one name, or none; and there is no socket when the client has left.
    here = own.getsockname() if own else None
    there = getattr(connection.context, "address", None)
    port = there[1] if isinstance(there, tuple) and there[0] == request.remote_ip else 0
    return {
        "type": "http",
        "asgi": dict(VERSIONS),
        "http_version": request.version.removeprefix("HTTP/"),
        "method": request.method,
        "scheme": request.protocol,
        "path": unquote(request.path.encode("latin1").decode("utf-8", "replace")),
        "raw_path": request.path.encode("latin1"),
        "query_string": request.query.encode("latin1"),
        "root_path": root_path,
        "headers": [
            (name.lower().encode("latin1"), value.encode("latin1"))
            for name, value in request.headers.get_all()
        ],
        "client": (request.remote_ip, port) if isinstance(there, tuple) else None,
        "server": here[:2] if isinstance(here, tuple) else None,
        "extensions": {},
    }
