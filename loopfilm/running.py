"""Start an application, and stop it again whatever happens.

Three ways in, for three kinds of caller::

    async with running(app) as url: ...  # on the loop that is already running here
    with running_apart(app) as url: ...  # on a loop of its own, for callers that block
    sys.exit(main(make_app))  # as a program, until Ctrl-C

The first two listen on 127.0.0.1, on a port that the system picks, so that any number of them
can run side by side. All three close what they opened, connections too, and end the handlers
that have not answered by then.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager, nullcontext, suppress
from typing import Any, TypeVar

from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.log import define_logging_options
from tornado.netutil import DefaultLoopResolver, Resolver, bind_sockets, is_valid_ip
from tornado.options import Error, OptionParser
from tornado.web import Application, RequestHandler

from .lanes import labelled

T = TypeVar("T")

HERE = "127.0.0.1"
PATIENCE = 3.0  # seconds for what is still under way when an application is stopped

# What each keyword of a make_app means on the command line.
HELP = {
    "backend": "address of the backend that answers the questions; empty starts one",
    "delay": "wait this many seconds before doing anything",
    "deadline": "give the backend this many seconds for everything",
}


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
    app: Application, *, port: int = 0, address: str = HERE
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
                await asyncio.wait_for(server.close_all_connections(), PATIENCE)
            # A handler does not notice that its connection is gone: it would wait on.
            left = _handlers_at_work(app, asyncio.get_running_loop())
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left, timeout=PATIENCE)


def _handlers_at_work(
    app: Application, loop: asyncio.AbstractEventLoop
) -> dict[asyncio.Task[Any], RequestHandler]:
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


async def _serve_until_signal(app: Application, port: int, address: str) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    # Plain signal handlers, since asyncio's own do not exist on Windows.
    def ask_to_stop(*_: object) -> None:
        loop.call_soon_threadsafe(stop.set)
        # The second Ctrl-C is an ordinary one again, for handlers that refuse to end.
        give_back_signals()
        # A handler that blocks keeps the loop from stopping, so it has to hear of it here; and
        # those behind it must not begin.
        app.default_router.rules.clear()
        at_work = _handlers_at_work(app, loop)
        for task in at_work:
            task.cancel()
        holder = asyncio.current_task(loop)
        if holder in at_work and not at_work[holder]._headers_written:
            raise asyncio.CancelledError

    def give_back_signals() -> None:
        for signum, handler in before.items():
            signal.signal(signum, handler)

    before = {s: signal.signal(s, ask_to_stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        async with running(app, port=port, address=address) as url:
            print(f"listening on {url} (Ctrl-C stops)", flush=True)
            await stop.wait()
        print("stopped", flush=True)
    finally:
        give_back_signals()


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
    with ExitStack() as stack:
        try:
            _parse(options, argv)
            settings = {p.name: options[p.name] for p in parameters}
            if settings.get("backend") == "":
                from .backend import Backend

                settings["backend"] = stack.enter_context(running_apart(Backend(0.05).app))
            app = make_app(**settings)
        except (Error, ValueError) as error:
            print(f"{error} (--help lists the options)", file=sys.stderr)
            return 2
        try:
            asyncio.run(_serve_until_signal(app, options.port, options.address))
        except (OSError, UnicodeError) as error:
            where = f"{options.address}, port {options.port}"
            why = getattr(error, "strerror", None) or error
            hint = "; --port=0 lets the system pick another" if options.port else ""
            print(f"cannot listen on {where}: {why}{hint}", file=sys.stderr)
            return 1
    return 0


def _parse(options: OptionParser, argv: list[str]) -> None:
    # Word by word, since Tornado's parser answers a slip with all of the help, or does not say
    # which option it was.
    for word in argv[1:]:
        if not word.startswith("-") or word.lstrip("-").partition("=")[0] not in options:
            raise Error(f"{word} is not an option")
        try:
            options.parse_command_line([argv[0], word], final=False)
        except ValueError:
            raise Error(f"{word} is not a value of that option") from None
    if not options.address:
        raise Error("address must not be empty: that would be every address of the machine")
    if not 0 <= options.port <= 65535:
        raise Error(f"port must be from 0 to 65535, not {options.port}")
    try:
        options.run_parse_callbacks()
    except (AttributeError, ValueError, OSError) as error:
        raise Error(f"the log cannot be set up like that: {error}") from error
