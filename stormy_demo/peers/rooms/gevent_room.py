"""The room on gevent, by long poll: a greenlet for each who waits.

gevent has no WebSockets of its own; `socketio_gevent` has those of simple-websocket.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

from gevent.event import AsyncResult  # type: ignore[import-untyped]
from gevent.pywsgi import WSGIServer  # type: ignore[import-untyped]

from ..answers import NO_PAGE
from ..on_gevent import polite, until_told
from .listening import announce

waiting: set[Any] = set()


def tell(text: str) -> None:
    """Tell everybody."""
    for news in waiting:
        news.set(text)


def wait_for_news() -> str:
    """Wait for what is said next, and return it."""
    news = AsyncResult()
    waiting.add(news)
    try:
        return str(news.get())
    finally:
        waiting.discard(news)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a visitor, as WSGI has it."""
    status, body = "200 OK", b""
    match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
        case "GET", "/news":
            body = wait_for_news().encode()
        case "GET", "/waiting":
            body = str(len(waiting)).encode()
        case "POST", "/say":
            tell(environ["wsgi.input"].read().decode(errors="replace"))
            status = "204 No Content"
        case _:
            status, body = "404 Not Found", NO_PAGE
    start_response(status, [("Content-Length", str(len(body)))] if body else [])
    return [body]


def serve(listener: socket.socket) -> None:
    """Serve it, for ever."""
    announce(listener)
    server = WSGIServer(polite(listener), app, log=None)
    until_told(server)
