"""Run a server that speaks a protocol of its own: as long as a block lasts, or as a program.

`loopfilm.running` and `program.main` do the same for an application that speaks HTTP::

    async with listening(Store()) as (host, port): ...

What the server accepted is closed at the end, whatever its clients are doing.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakSet

from tornado.iostream import IOStream
from tornado.tcpserver import TCPServer

from loopfilm import LOCALHOST, CannotListen
from loopfilm.ending import end, wait_for_the_end

from .taken import way_out, why


@asynccontextmanager
async def listening(
    server: TCPServer, *, port: int = 0, address: str = LOCALHOST
) -> AsyncIterator[tuple[str, int]]:
    """Run a server on the current loop for as long as the block lasts.

    At the end its connections are closed, so whoever reads from one gets a `StreamClosedError`.
    A handler that waits for something else is cancelled after a while.

    Args:
        server: it, new.
        port: where to listen; 0 lets the system pick.
        address: the local address to listen on.

    Yields:
        The address and the port.

    Raises:
        CannotListen: the port is taken, or the address is empty or not one of this machine's.
    """
    streams: WeakSet[IOStream] = WeakSet()
    at_work: set[asyncio.Future[Any]] = set()
    handle_stream = server.handle_stream

    def noted(stream: IOStream, client: tuple[Any, ...]) -> asyncio.Future[None] | None:
        streams.add(stream)
        handling = handle_stream(stream, client)
        if handling is None:
            return None
        # From now on, for the block may end before a coroutine has begun.
        at_work.add(handler := asyncio.ensure_future(handling))
        handler.add_done_callback(at_work.discard)
        return handler

    server.handle_stream = noted  # type: ignore[method-assign, assignment]
    place = _listen(server, port, address)
    try:
        yield place
    finally:
        server.stop()
        for stream in list(streams):
            stream.close()
        handlers = list(at_work)
        try:
            await wait_for_the_end(handlers)
        finally:
            await end(handlers)


def _listen(server: TCPServer, port: int, address: str) -> tuple[str, int]:
    try:
        if not 0 <= port <= 65535:
            raise ValueError("a port is a number from 0 to 65535")
        if not address:
            raise ValueError("an empty address is every network, and 0.0.0.0 says so")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        # Unlike `bind_sockets`, it closes what it could not bind.
        listener = socket.create_server((address, port), family=family, backlog=1024)
    except (OSError, ValueError, OverflowError) as error:
        where = f"{address or repr(address)}, port {port}"
        raise CannotListen(getattr(error, "errno", None), why(error), where) from None
    listener.setblocking(False)
    server.add_sockets([listener])
    host, found, *_ = listener.getsockname()
    return host, found


def main(make_server: Callable[[], TCPServer], argv: list[str] | None = None) -> int:
    """Run a server as a program, until Ctrl-C or SIGTERM.

    Args:
        make_server: makes the server.
        argv: the command line; that of the process if it is left out.

    Returns:
        The exit status: 0 when it was stopped, 1 when it could not listen.

    Raises:
        SystemExit: the command line was not understood, or asked for help.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8888, help="0 lets the system pick")
    parser.add_argument("--address", default=LOCALHOST, help="one of this machine's")
    options = parser.parse_args(argv[1:] if argv else None)
    try:
        asyncio.run(_serve_until_signal(make_server, options.port, options.address))
    except CannotListen as error:
        print(f"{error}{way_out(error, options.port)}", file=sys.stderr)
        return 1
    return 0


async def _serve_until_signal(
    make_server: Callable[[], TCPServer], port: int, address: str
) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    # Plain signal handlers, since asyncio's own do not exist on Windows.
    def ask_to_stop(*_: object) -> None:
        loop.call_soon_threadsafe(stop.set)
        # A second Ctrl-C has its ordinary effect again, for a handler that refuses to end.
        restore_signals()

    def restore_signals() -> None:
        for signum, handler in before.items():
            signal.signal(signum, handler)

    before = {s: signal.signal(s, ask_to_stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        async with listening(make_server(), port=port, address=address) as (host, found):
            print(f"listening on {host}:{found} (Ctrl-C stops)", flush=True)
            await stop.wait()
        print("stopped", flush=True)
    finally:
        restore_signals()
