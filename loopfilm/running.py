"""Start an application, and stop it again whatever happens.

Two ways in, for two kinds of caller::

    async with running(app) as url: ...  # on the loop that is already running here
    with running_apart(app) as url: ...  # on a loop of its own, for callers that block

Both listen on 127.0.0.1, on a port that the system picks, so that any number of them can run
side by side. Both close what they opened, connections too, and end the handlers that have not
answered by then.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from typing import Any, TypeVar

from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import DefaultLoopResolver, Resolver, bind_sockets, is_valid_ip
from tornado.web import Application, RequestHandler

from .lanes import labelled

T = TypeVar("T")

LOCALHOST = "127.0.0.1"
GRACE_PERIOD = 3.0  # seconds for what is still under way when an application is stopped


class LiteralResolver(DefaultLoopResolver):
    """A resolver that answers for IP addresses on the spot.

    Tornado's own asks a thread even about "127.0.0.1". Requests that were sent in one order
    then arrive in another, now and then, and an experiment about order would be about luck.
    """

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        """Look up a name, as `tornado.netutil.Resolver.resolve` does."""
        if not is_valid_ip(host):
            return await super().resolve(host, port, family)
        found = socket.getaddrinfo(
            host, port, family, socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )
        return [(entry[0], entry[4]) for entry in found]


@asynccontextmanager
async def running(
    app: Application, *, port: int = 0, address: str = LOCALHOST
) -> AsyncIterator[str]:
    """Run an application on the current loop for as long as the block lasts.

    Clients that are made from now on, in the whole process, look up IP addresses on the spot,
    see `LiteralResolver`, unless somebody has chosen a resolver before.

    Args:
        app: the application. If its settings hold `while_running`, a function that makes a
            context manager, that is entered first and left last.
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
            # An upload that nobody reads may not keep us, and neither may, below, a handler
            # that refuses to end.
            with suppress(TimeoutError):
                await asyncio.wait_for(server.close_all_connections(), GRACE_PERIOD)
            # A handler does not notice that its connection is gone: it would wait on.
            left = handlers_at_work(app, asyncio.get_running_loop())
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left, timeout=GRACE_PERIOD)


def handlers_at_work(
    app: Application, loop: asyncio.AbstractEventLoop
) -> dict[asyncio.Task[Any], RequestHandler]:
    """Return the handlers of an application that have not ended, each with its task.

    Args:
        app: the application.
        loop: the loop on which it runs.
    """
    # Tornado keeps no list of them, but each is a task that runs a method of its handler.
    found = {}
    for task in asyncio.all_tasks(loop):
        coroutine = task.get_coro()
        if inspect.iscoroutine(coroutine):
            handler = inspect.getcoroutinelocals(coroutine).get("self")
            if isinstance(handler, RequestHandler) and handler.application is app:
                found[task] = handler
    return found


def on_own_loop(function: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Run a coroutine function to its end on a new loop, in a thread of its own.

    For callers whose own thread already runs a loop, such as a cell of a notebook.

    Args:
        function: a coroutine function.
        *args: what to call it with.

    Returns:
        What it returned.

    Raises:
        BaseException: whatever it raised.
    """
    give_up: list[Callable[[], object]] = []

    async def call() -> T:
        task = asyncio.current_task()
        assert task
        give_up.append(functools.partial(IOLoop.current().add_callback, task.cancel))
        return await function(*args)

    with ThreadPoolExecutor(1, "own loop") as threads:
        try:
            return threads.submit(lambda: asyncio.run(call())).result()
        except KeyboardInterrupt:
            # Or whoever interrupts a cell that hangs would have to wait for its end.
            for cancel in give_up:
                cancel()
            raise


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
    """
    started: Future[tuple[str, Callable[[], object]]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with running(app) as url:
            started.set_result((url, lambda: loop.call_soon_threadsafe(stop.set)))
            await stop.wait()

    errors: list[BaseException] = []

    def thread() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if started.done():
                errors.append(error)
            else:
                started.set_exception(error)

    server = threading.Thread(target=thread, name="running apart", daemon=True)
    server.start()
    url, stop = started.result()
    try:
        yield url
    finally:
        stop()
        server.join()
    if errors:
        raise errors[0]
