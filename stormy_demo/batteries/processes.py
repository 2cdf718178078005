"""The chat in two processes that share a port, with a broker between them.

Open the address in two windows. `/whoami` says which process has answered.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from contextlib import ExitStack

from tornado.log import enable_pretty_logging
from tornado.web import Application

from loopfilm import LOCALHOST, handlers_at_work

from ..missing import in_a_sentence
from ..taken import way_out, why
from .chat import NewsHandler, make_app
from .counterparts.embedded import NoValkey, embedded
from .draining import serve_until
from .prefork import HAS_FORK, prefork, shared_sockets
from .room import Room
from .who import WhoHandler

with in_a_sentence(__name__):
    from .broker import Broker, BrokeredRoom, ValkeyError


def make_chat(room: Room) -> Application:
    """Make the chat of one process.

    Args:
        room: the room of this process.
    """
    app = make_app(room)
    app.add_handlers(".*", [(r"/whoami", WhoHandler)])
    return app


def stop_waiting(app: Application) -> None:
    """Have those answered who wait for news by long poll: there is none."""
    for handler in handlers_at_work(app, asyncio.get_running_loop()).values():
        if isinstance(handler, NewsHandler):
            handler.stop_waiting()


class Chat:
    """What each process serves: a room of its own, or the one that all share."""

    def __init__(self, broker: str) -> None:
        """Keep the address of the broker; empty for none."""
        self.broker = broker

    async def __call__(self, sockets: list[socket.socket], stop: asyncio.Event) -> None:
        """Serve on sockets until an event is set, see `prefork`."""
        if not self.broker:
            await self.serve(Room(), sockets, stop)
            return
        room = BrokeredRoom(Broker(self.broker))
        async with room.listening():
            await self.serve(room, sockets, stop)

    async def serve(
        self, room: Room, sockets: list[socket.socket], stop: asyncio.Event
    ) -> None:
        """Serve one room."""
        app = make_chat(room)
        await serve_until(stop, app, sockets, before_the_wait=lambda: stop_waiting(app))


async def try_out(url: str) -> None:
    """Ask a broker for its stream.

    Raises:
        ValkeyError: it is not there, or has something else at the place of the stream.
        ValueError: this is not the address of one.
    """
    broker = Broker(url)
    try:
        await broker.read("0-0")
    finally:
        await broker.close()


def options(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="stormy_demo.batteries.processes", description=__doc__
    )
    parser.add_argument("--port", type=port, default=8888, help="0 lets the system pick")
    parser.add_argument("--address", type=address, default=LOCALHOST)
    parser.add_argument("--processes", type=count, default=2)
    parser.add_argument(
        "--broker",
        default="embedded",
        help="such as redis://127.0.0.1:6379; one is started if this is left out; none: a room "
        "for each process",
    )
    parser.add_argument(
        "--reuse-port", action="store_true", help="a socket for each process at the same port"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the chat until Ctrl-C or SIGTERM.

    Args:
        argv: the command line, without the program's name; that of the process if left out.

    Returns:
        The exit status: 0 when it was stopped, 1 when it could not serve, 130 when Ctrl-C came
        before there was a broker.
    """
    given = options(argv)
    if not HAS_FORK:
        return fail("this system has no fork: run stormy_demo.batteries.chat, in one process")
    enable_pretty_logging()
    with ExitStack() as stack:
        try:
            broker = given.broker
            if broker == "embedded":
                broker = stack.enter_context(embedded())
            if broker == "none":
                broker = ""
            if broker:
                asyncio.run(try_out(broker))
        except NoValkey as error:
            return fail(f"{error}; --broker=redis://... names one, --broker=none does without")
        except (ValkeyError, ValueError) as error:
            return fail(f"{given.broker} cannot be the broker: {error}")
        except KeyboardInterrupt:
            return 130
        try:
            sockets = shared_sockets(
                given.port, given.processes, given.address, reuse_port=given.reuse_port
            )
        except (OSError, ValueError) as error:
            hint = way_out(error, given.port)
            where = f"{given.address}, port {given.port}"
            return fail(f"cannot listen on {where}: {why(error)}{hint}")
        host = f"[{given.address}]" if ":" in given.address else given.address
        bound = sockets[0][0].getsockname()[1]
        print(f"listening on http://{host}:{bound} (Ctrl-C stops)", flush=True)
        status = prefork(Chat(broker), sockets)
    print("stopped", flush=True)
    return status


def fail(why: str) -> int:
    """Say why it does not run, and return the exit status."""
    print(why, file=sys.stderr)
    return 1


def port(text: str) -> int:
    """Read a port."""
    return _number(text, 0, 65535)


def count(text: str) -> int:
    """Read how many processes."""
    return _number(text, 1, 64)


def address(text: str) -> str:
    """Read a local address; an empty one would be all of them."""
    if not text:
        raise argparse.ArgumentTypeError("an empty address is every network")
    return text


def _number(text: str, least: int, most: int) -> int:
    value = int(text) if text.isascii() and text.isdecimal() else -1
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text} is not a number from {least} to {most}")
    return value


if __name__ == "__main__":
    sys.exit(main())
