"""Start an application, and stop it again whatever happens.

There are two ways, for two kinds of caller::

    async with running(app) as url: ...  # on the loop that is already running here
    with running_apart(app) as url: ...  # on a loop of its own, for callers that block

Both listen on 127.0.0.1, on a port that the system picks, so that any number of them can run
side by side. Both close what they opened, connections too, and end the handlers that have not
answered by then.
"""

from __future__ import annotations

import asyncio
import socket
import traceback
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from typing import Any
from weakref import WeakSet

from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.netutil import DefaultLoopResolver, Resolver, bind_sockets
from tornado.web import Application, RequestHandler

from .ending import end, wait_for_the_end
from .labelling import application_in, labelled
from .own_loop import OwnLoop
from .resolver import LiteralResolver
from .served import Served
from .unwrapped import requests_at_work

LOCALHOST = "127.0.0.1"


class CannotListen(OSError):
    """The port is taken, or the address is not one of this machine's, or the like.

    Attributes:
        errno: the number of the error, if the system gave one.
        strerror: why, in words.
        filename: where, such as "127.0.0.1, port 8888".
    """

    def __str__(self) -> str:
        """Return all of it in one line."""
        return f"cannot listen on {self.filename}: {self.strerror}"


@asynccontextmanager
async def running(
    app: Served, *, port: int = 0, address: str = LOCALHOST
) -> AsyncIterator[str]:
    """Run an application on the current loop for as long as the block lasts.

    Clients that are made from now on, in the whole process, look up IP addresses on the spot,
    see `LiteralResolver`, unless somebody has chosen a resolver before.

    Args:
        app: the application, or whatever else an `HTTPServer` serves, or such a server. The
            application's setting `while_running`, if there is one, is a function that returns
            a context manager, which may have to be awaited; this is entered first and left
            last.
        port: where to listen; 0 lets the system pick.
        address: the local address to listen on.

    Yields:
        The address of the application, such as "http://127.0.0.1:40123".

    Raises:
        CannotListen: the port is taken, or the address is empty or not one of this machine's.
        TypeError: the application is none.
        BaseException: whatever `while_running` raised.
    """
    server = _Server(labelled(app))
    if Resolver.configured_class() is DefaultLoopResolver:
        Resolver.configure(LiteralResolver)
    settings = getattr(application_in(app), "settings", {})
    manager = settings.get("while_running", nullcontext)()
    # No generator of its own: it would not be closed where a loop ends in the middle of both.
    async with AsyncExitStack() as stack:
        if isinstance(manager, AbstractAsyncContextManager):
            await stack.enter_async_context(manager)
        else:
            stack.enter_context(manager)
        with _listening(server, port, address) as url:
            try:
                yield url
            finally:
                await server.end()


class _Server(HTTPServer):
    """A server that can close all that it accepted, and end all that came of it."""

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        super().initialize(*args, **kwargs)
        self.streams: WeakSet[IOStream] = WeakSet()

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        self.streams.add(stream)
        super().handle_stream(stream, address)

    def close(self) -> None:
        self.stop()
        # All at once: an upload that nobody reads would keep those that stand behind it. And
        # also those that a handler has detached from their connection.
        for stream in list(self.streams):
            # A loop that is closed by now takes no callbacks.
            with suppress(RuntimeError):
                stream.close()

    async def end(self) -> None:
        self.close()
        closing = [asyncio.ensure_future(each.close()) for each in self._connections]
        # Cancelled again, a handler could not tidy.
        tidying = [task for task in self.handlers_at_work() if task.cancelling()]
        try:
            await wait_for_the_end([*closing, *tidying])
        finally:
            # A handler does not notice that its connection is gone: it would go on waiting.
            await end([*closing, *self.handlers_at_work()])

    def handlers_at_work(self) -> list[asyncio.Task[Any]]:
        # By connection, since another server on this loop may serve the same application.
        return [
            task
            for task, handler in requests_at_work(asyncio.get_running_loop())
            if getattr(handler.request.server_connection, "stream", None) in self.streams
        ]


@contextmanager
def _listening(server: _Server, port: int, address: str) -> Iterator[str]:
    """Have a server listen, and close it.

    A generator of this kind is closed even when its loop ended in the middle of everything, and
    nobody can await anything any more.
    """
    where = f"{address or repr(address)}, port {port}"
    sockets: list[socket.socket] = []
    try:
        if not 0 <= port <= 65535:
            raise ValueError("a port is a number from 0 to 65535")
        if not address:
            raise ValueError("an empty address is every network, and 0.0.0.0 says so")
        sockets = bind_sockets(port, address, family=socket.AF_UNSPEC, backlog=1024)
        server.add_sockets(sockets)
    except (OSError, ValueError, OverflowError) as error:
        _close_sockets_of(error)
        number, why = getattr(error, "errno", None), getattr(error, "strerror", None)
        raise CannotListen(number, why or str(error), where) from None
    if not sockets:
        raise CannotListen(None, "this machine has no addresses of that kind", where)
    try:
        host = f"[{address}]" if ":" in address else address
        yield f"http://{host}:{sockets[0].getsockname()[1]}"
    finally:
        server.close()


def _close_sockets_of(error: BaseException) -> None:
    """Close what Tornado had opened when it could not go on: all of it stays in its frames."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        for value in frame.f_locals.values():
            for opened in value if isinstance(value, list) else [value]:
                if isinstance(opened, socket.socket):
                    IOLoop.current().remove_handler(opened)
                    opened.close()


def handlers_at_work(
    app: Application, loop: asyncio.AbstractEventLoop
) -> dict[asyncio.Task[Any], RequestHandler]:
    """Return the handlers of an application that have not ended, each with its task.

    Args:
        app: the application.
        loop: the loop on which it runs.
    """
    return {
        task: handler for task, handler in requests_at_work(loop) if handler.application is app
    }


@contextmanager
def running_apart(app: Served) -> Iterator[str]:
    """Run an application on a loop in a thread of its own, as long as the block lasts.

    A caller that blocks needs this: on its own loop the server could not answer it.

    Args:
        app: the application, see `running`.

    Yields:
        The address of the application.

    Raises:
        CannotListen: it could not listen.
        BaseException: whatever else kept it from starting, ended its loop, or was raised while
            it was stopped. What the block raised is the context of that.
    """
    started: Future[str] = Future()
    # Made here, so that it can be told to stop at any time; a loop is bound to it later.
    stop = asyncio.Event()

    async def serve() -> None:
        async with running(app) as url:
            started.set_result(url)
            await stop.wait()

    with OwnLoop(serve) as own_loop:
        either: list[Future[Any]] = [started, own_loop.outcome]
        wait(either, return_when=FIRST_COMPLETED)
        if started.done():
            try:
                yield started.result()
            finally:
                # Left by a cancellation, `while_running` would take all for failed.
                own_loop.finish(stop.set)
