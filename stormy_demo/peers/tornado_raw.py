"""Tornado's HTTPServer with a function, and no Application, no handlers, no routes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from http.client import responses

from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPHeaders,
    HTTPServerRequest,
    ResponseStartLine,
    format_timestamp,
)

from ..agreed import BackendError
from . import answers
from .asking import Ask, simple
from .starting import announce, listen, options, told_to_stop


def make_callback(ask: Ask, upstream: str) -> Callable[[HTTPServerRequest], None]:
    """Make the function that is given each request, and sees to it that it is answered.

    Args:
        ask: how to ask the backend.
        upstream: the address of the backend.
    """
    url = upstream + answers.QUESTION
    # The loop itself does not hold tasks: those that nobody holds may be lost.
    at_work = set[asyncio.Task[None]]()

    async def ask_and_send(request: HTTPServerRequest) -> None:
        try:
            body = answers.resource(await ask(url))
        except BackendError as fault:
            send(request, answers.TEXT, str(fault).encode(), fault.status)
        else:
            send(request, answers.JSON, body)

    def answer(request: HTTPServerRequest) -> None:
        match request.method, request.path:
            case "GET", "/":
                send(request, answers.TEXT, answers.HELLO)
            case "GET", "/report":
                send(request, answers.JSON, answers.report())
            case "GET", "/resource":
                at_work.add(task := asyncio.create_task(ask_and_send(request)))
                task.add_done_callback(at_work.discard)
            case "GET", _:
                send(request, answers.TEXT, answers.NO_PAGE, 404)
            case _:
                send(request, answers.TEXT, answers.ONLY_GET, 405, Allow="GET")

    return answer


def send(
    request: HTTPServerRequest, kind: str, body: bytes, status: int = 200, **more: str
) -> None:
    """Answer a request: what an Application would do otherwise."""
    headers = HTTPHeaders(
        {
            "Server": "Tornado's HTTPServer",
            "Content-Type": kind,
            "Date": format_timestamp(time.time()),
            "Content-Length": str(len(body)),
            **more,
        }
    )
    line = ResponseStartLine("HTTP/1.1", status, responses[status])
    assert request.connection
    # Who asks with HEAD is told the length of a body, and gets none.
    chunk = None if request.method == "HEAD" else body
    request.connection.write_headers(line, headers, chunk)
    request.connection.finish()


async def serve(port: int, upstream: str) -> None:
    """Serve until the program is told to stop."""
    async with simple() as ask:
        listener = listen(port)
        HTTPServer(make_callback(ask, upstream)).add_socket(listener)
        announce(listener.getsockname()[1])
        await told_to_stop()


def main() -> None:
    """Serve until Ctrl-C."""
    given = options(__doc__).parse_args()
    asyncio.run(serve(given.port, given.upstream))


if __name__ == "__main__":
    main()
