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
import inspect
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import DefaultLoopResolver, Resolver, bind_sockets
from tornado.web import Application, RequestHandler

from .labelling import labelled
from .resolver import LiteralResolver

LOCALHOST = "127.0.0.1"
# Seconds to wait, when an application is stopped, for its connections and its handlers to end.
GRACE_PERIOD = 3.0


@asynccontextmanager
async def running(
    app: Application, *, port: int = 0, address: str = LOCALHOST
) -> AsyncIterator[str]:
    """Run an application on the current loop for as long as the block lasts.

    Clients that are made from now on, in the whole process, look up IP addresses on the spot,
    see `LiteralResolver`, unless somebody has chosen a resolver before.

    Args:
        app: the application. Its setting `while_running`, if there is one, is a function that
            returns a context manager; this is entered first and left last.
        port: where to listen; 0 lets the system pick.
        address: the local address to listen on.

    Yields:
        The address of the application, such as "http://127.0.0.1:40123".

    Raises:
        OSError: the port is taken, or the address is not one of this machine's.
    """
    if Resolver.configured_class() is DefaultLoopResolver:
        Resolver.configure(LiteralResolver)
    with app.settings.get("while_running", nullcontext)():
        sockets = bind_sockets(port, address, family=socket.AF_UNSPEC, backlog=1024)
        server = HTTPServer(labelled(app))
        server.add_sockets(sockets)
        try:
            host = f"[{address}]" if ":" in address else address
            yield f"http://{host}:{sockets[0].getsockname()[1]}"
        finally:
            server.stop()
            # An upload that nobody reads keeps its connection open; so this wait has a limit.
            with suppress(TimeoutError):
                await asyncio.wait_for(server.close_all_connections(), GRACE_PERIOD)
            # A handler does not notice that its connection is gone: it would go on waiting.
            unfinished = handlers_at_work(app, asyncio.get_running_loop())
            for task in unfinished:
                task.cancel()
            if unfinished:
                # A handler can refuse to be cancelled; so this wait has a limit too.
                await asyncio.wait(unfinished, timeout=GRACE_PERIOD)


def handlers_at_work(
    app: Application, loop: asyncio.AbstractEventLoop
) -> dict[asyncio.Task[Any], RequestHandler]:
    """Return the handlers of an application that have not ended, each with its task.

    Args:
        app: the application.
        loop: the loop on which it runs.
    """
    # Tornado keeps no list of them, but each runs in a task, as a method of its handler.
    found = {}
    for task in asyncio.all_tasks(loop):
        coroutine = task.get_coro()
        if inspect.iscoroutine(coroutine):
            handler = inspect.getcoroutinelocals(coroutine).get("self")
            if isinstance(handler, RequestHandler) and handler.application is app:
                found[task] = handler
    return found


@contextmanager
def running_apart(app: Application) -> Iterator[str]:
    """Run an application on a loop in a thread of its own, as long as the block lasts.

    A caller that blocks needs this: on its own loop the server could not answer it.

    Args:
        app: the application, see `running`.

    Yields:
        The address of the application.

    Raises:
        OSError: it could not listen.
        BaseException: whatever it raised while it was stopped.
    """
    started: Future[tuple[str, Callable[[], object]]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with running(app) as url:
            started.set_result((url, lambda: loop.call_soon_threadsafe(stop.set)))
            await stop.wait()

    errors: list[BaseException] = []

    def run_server() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if started.done():
                errors.append(error)
            else:
                started.set_exception(error)

    server = threading.Thread(target=run_server, name="running apart", daemon=True)
    server.start()
    url, stop = started.result()
    try:
        yield url
    finally:
        stop()
        server.join()
    if errors:
        raise errors[0]
