"""A server that speaks HTTP/1.1 and HTTP/2, and tells each request on which connection it came.

Tornado's own server speaks HTTP/1.1; this one is Hypercorn, on the same loop, and serves an
application of Starlette.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast
from weakref import WeakSet

from hypercorn.asyncio import serve
from hypercorn.config import Config, Sockets
from hypercorn.typing import Framework
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from loopfilm.ending import end, wait_for_the_end


class Meeting:
    """Answers when so many requests have come, and begins anew with the next.

    A request counts also when its client has left since.

    Args:
        together: how many; while all stay, it is certain that they are under way at once.
    """

    def __init__(self, together: int = 1) -> None:
        """Begin with none."""
        self.together = together
        self._begin()

    def _begin(self) -> None:
        self._clients: list[Any] = []
        self._all_here = asyncio.Event()

    async def answer(self, request: Request) -> JSONResponse:
        """Wait for the others; tell the version of HTTP, and how many connections there are."""
        clients, all_here = self._clients, self._all_here
        clients.append(request.client)
        if len(clients) >= self.together:
            all_here.set()
            self._begin()
        await all_here.wait()
        connections = len(set(clients))
        return JSONResponse({"http": request.scope["http_version"], "connections": connections})

    def end(self) -> None:
        """Let nobody wait any longer, nor whoever is still to come."""
        self.together = 1
        self._all_here.set()


class _Listener(socket.socket):
    """A socket that knows what it has accepted."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.accepted: WeakSet[socket.socket] = WeakSet()

    def accept(self) -> tuple[socket.socket, Any]:
        connection, address = super().accept()
        self.accepted.add(connection)
        return connection, address

    def hang_up(self) -> None:
        """Let whoever reads from a connection find its end, as if the client had left."""
        for connection in list(self.accepted):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Listening(Config):
    """What Hypercorn is told: to listen on a socket that there is already."""

    # Nothing, unless somebody has set up a log.
    errorlog = logging.getLogger("hypercorn.error")

    def __init__(self, listener: socket.socket) -> None:
        super().__init__()
        self._listener = listener

    def create_sockets(self) -> Sockets:
        return Sockets([], [self._listener], [])


@asynccontextmanager
async def serving(together: int = 1) -> AsyncIterator[str]:
    """Run the server on the current loop for as long as the block lasts.

    Args:
        together: answer when this many requests have come, see `Meeting`.

    Yields:
        Its address, such as "http://127.0.0.1:40123".
    """
    meeting, stop = Meeting(together), asyncio.Event()
    app = cast(Framework, Starlette(routes=[Route("/", meeting.answer)]))
    with _Listener() as listener:
        listener.bind(("127.0.0.1", 0))
        # Who comes before Hypercorn has begun waits for it.
        listener.listen()
        listener.setblocking(False)
        config = _Listening(listener)
        server = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))
        try:
            yield "http://{}:{}".format(*listener.getsockname())
        finally:
            stop.set()
            meeting.end()
            # It would wait for those who do not leave, and complain then.
            listener.hang_up()
            try:
                await wait_for_the_end([server])
            except asyncio.CancelledError:
                # Hypercorn, when it is cancelled too, leaves a task of its own behind.
                await wait_for_the_end([server])
                raise
            finally:
                await end([server])
