"""The room on gevent, by long poll: a greenlet for each who waits.

gevent has no WebSockets of its own; `socketio_gevent` has those of simple-websocket.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterable
from typing import Any

from gevent import signal_handler  # type: ignore[import-untyped]
from gevent.event import AsyncResult  # type: ignore[import-untyped]
from gevent.pywsgi import WSGIServer  # type: ignore[import-untyped]
from gevent.socket import socket as polite_socket  # type: ignore[import-untyped]

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
            status = "404 Not Found"
    start_response(status, [("Content-Length", str(len(body)))] if body else [])
    return [body]


def polite(listener: socket.socket) -> Any:
    """Return the same socket, on which a greenlet waits and not the thread."""
    return polite_socket(fileno=listener.detach())


def until_told(server: Any) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        server: a server of gevent.

    Raises:
        KeyboardInterrupt: it was told to end.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        # In a greenlet of its own: otherwise whichever runs would be interrupted, and say so.
        signal_handler(number, server.stop, 0)
    server.serve_forever()
    raise KeyboardInterrupt


def serve(listener: socket.socket) -> None:
    """Serve it, for ever."""
    announce(listener)
    server = WSGIServer(polite(listener), app, log=None)
    until_told(server)
