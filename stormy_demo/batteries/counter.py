"""A counter in two processes, each of which counts for itself."""

from __future__ import annotations

import asyncio
import socket

from tornado.web import Application

from loopfilm import LOCALHOST

from ..sentences import NotFoundHandler, SentenceHandler
from .draining import serve_until
from .prefork import prefork, shared_sockets
from .small_bodies import SmallBodies
from .who import WhoHandler


class CountHandler(SentenceHandler):
    """Counts who comes."""

    count = 0

    def get(self) -> None:
        """Answer with how many have come."""
        CountHandler.count += 1
        self.write({"count": CountHandler.count})


def make_app() -> Application:
    """Make the application of one process."""
    return SmallBodies(
        [(r"/", CountHandler), (r"/whoami", WhoHandler)],
        default_handler_class=NotFoundHandler,
        default_handler_args={"there_is": "/"},
    )


async def serve(sockets: list[socket.socket], stop: asyncio.Event) -> None:
    """Serve in one process until an event is set, see `prefork`."""
    await serve_until(stop, make_app(), sockets)


def main(port: int) -> int:
    """Serve in two processes until SIGTERM or Ctrl-C; print the address first.

    Args:
        port: where to listen.

    Returns:
        The exit status, see `prefork`.

    Raises:
        OSError: the port is taken, or this system has no `fork`.
    """
    sockets = shared_sockets(port, processes=2)
    print(f"http://{LOCALHOST}:{sockets[0][0].getsockname()[1]}", flush=True)
    return prefork(serve, sockets)
