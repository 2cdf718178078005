"""Start an application, and stop it again whatever happens.

Three ways in, for three kinds of caller::

    async with running(app) as url: ...  # on the loop that is already running here
    with running_apart(app) as url: ...  # on a loop in a thread of its own, for callers that block
    sys.exit(main(make_app))  # as a program, until Ctrl-C

The first two listen on 127.0.0.1, on a port that the system picks, so that any number of them
can run side by side. All three close what they opened, connections too.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager, nullcontext
from typing import Any, TypeVar

from tornado.httpserver import HTTPServer
from tornado.log import define_logging_options
from tornado.netutil import DefaultLoopResolver, Resolver, bind_sockets, is_valid_ip
from tornado.options import Error, OptionParser
from tornado.web import Application

from .lanes import labelled

T = TypeVar("T")
log = logging.getLogger("stormy_demo")

HERE = "127.0.0.1"

# What each keyword of a make_app means on the command line.
HELP = {
    "backend": "address of the backend that answers the questions; empty starts one",
    "delay": "wait this many seconds before doing anything",
    "deadline": "give the backend this many seconds for everything",
}


class LiteralResolver(DefaultLoopResolver):
    """A resolver that answers for IP addresses on the spot.

    Tornado's own asks a thread even about "127.0.0.1". Requests that were sent in one order then
    arrive in another, now and then, and an experiment about order would be about luck.
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
async def running(app: Application, *, port: int = 0, address: str = HERE) -> AsyncIterator[str]:
    """Run an application on the current loop for as long as the block lasts.

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
    # A choice that somebody made before us stays theirs.
    if Resolver.configured_class() is DefaultLoopResolver:
        Resolver.configure(LiteralResolver)
    with app.settings.get("while_running", nullcontext)():
        sockets = bind_sockets(port, address, family=socket.AF_UNSPEC)
        server = HTTPServer(labelled(app))
        server.add_sockets(sockets)
        try:
            yield f"http://{address}:{sockets[0].getsockname()[1]}"
        finally:
            server.stop()
            await server.close_all_connections()


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

    async def call() -> T:
        return await function(*args)

    with ThreadPoolExecutor(1, "own loop") as threads:
        return threads.submit(lambda: asyncio.run(call())).result()


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

    def thread() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            # Before the start it is the caller's to know; later the caller is not listening.
            if started.done():
                raise
            started.set_exception(error)

    server = threading.Thread(target=thread, name="running apart", daemon=True)
    server.start()
    url, stop = started.result()
    try:
        yield url
    finally:
        stop()
        server.join()


async def _serve_until_signal(app: Application, port: int, address: str) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    # Plain signal handlers, since asyncio's own do not exist on Windows.
    def ask_to_stop(signum: int, frame: object) -> None:
        loop.call_soon_threadsafe(stop.set)

    before = {s: signal.signal(s, ask_to_stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        async with running(app, port=port, address=address) as url:
            print(f"listening on {url} (Ctrl-C stops)", flush=True)
            await stop.wait()
        print("stopped", flush=True)
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def main(make_app: Callable[..., Application], argv: list[str] | None = None) -> int:
    """Run an application as a program, until Ctrl-C or SIGTERM.

    `--port` and `--address` say where to listen. Each parameter of `make_app` is an option too:
    `delay: float = 0.0` becomes `--delay=0.5`. A server that wants a `backend` and was not told
    of one gets one of its own, on another thread.

    Args:
        make_app: makes the application.
        argv: the command line; that of the process if it is left out.

    Returns:
        The exit status: 0 when it was stopped, 1 when it could not listen, 2 when the command
        line was not understood.
    """
    argv = sys.argv if argv is None else argv
    options = OptionParser()
    define_logging_options(options)
    options.define("port", 8888, int, "listen here; 0 lets the system pick")
    options.define("address", HERE, str, "listen on this address of the machine")
    parameters = inspect.signature(make_app).parameters.values()
    for p in parameters:
        default = "" if p.default is p.empty else p.default
        options.define(p.name, default, type(default), HELP.get(p.name, ""))
    try:
        unknown = options.parse_command_line(argv)
        if unknown:
            raise Error(f"{unknown[0]!r} is not an option")
        settings = {p.name: options[p.name] for p in parameters}
        with ExitStack() as stack:
            if settings.get("backend") == "":
                from .backend import Backend

                settings["backend"] = stack.enter_context(running_apart(Backend(0.05).app))
            app = make_app(**settings)
            asyncio.run(_serve_until_signal(app, options.port, options.address))
    except (Error, ValueError, OverflowError) as error:
        print(f"{error} (--help lists the options)", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"cannot listen on {options.address}, port {options.port}: {error.strerror}; "
            f"another port can be given, such as --port={options.port + 1}",
            file=sys.stderr,
        )
        return 1
    return 0
