"""Tornado, with an Application and handlers, on asyncio's loop or on uvloop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from ..agreed import BackendError
from . import answers
from .asking import CLIENTS, NEEDS, Ask
from .starting import announce, listen, need, options, told_to_stop


class Plain(RequestHandler):
    """Answers with bytes."""

    def answer(self, kind: str, body: bytes) -> None:
        """Send a body of some type."""
        self.set_header("Content-Type", kind)
        self.write(body)

    def compute_etag(self) -> None:
        """Add no ETag, since no other server here does: it is a hash of each answer."""


class Hello(Plain):
    """Answers at once."""

    def get(self) -> None:
        """Say hello."""
        self.answer(answers.TEXT, answers.HELLO)


class Report(Plain):
    """Works, and answers."""

    def get(self) -> None:
        """Send a report."""
        self.answer(answers.JSON, answers.report())


class Resource(Plain):
    """Asks, and answers."""

    def initialize(self, ask: Ask, url: str) -> None:
        """Keep how to ask the backend, and where."""
        self.ask, self.url = ask, url

    async def get(self) -> None:
        """Send what the backend said."""
        try:
            body = answers.resource(await self.ask(self.url))
        except BackendError as fault:
            self.set_status(fault.status)
            self.answer(answers.TEXT, str(fault).encode())
        else:
            self.answer(answers.JSON, body)


def make_app(ask: Ask, upstream: str) -> Application:
    """Make an application that says hello, works, and asks.

    Args:
        ask: how to ask the backend.
        upstream: the address of the backend.
    """
    asking = {"ask": ask, "url": upstream + answers.QUESTION}
    return Application(
        [("/", Hello), ("/report", Report), ("/resource", Resource, asking)],
    )


async def serve(port: int, upstream: str, client: str) -> None:
    """Serve until the program is told to stop."""
    async with CLIENTS[client]() as ask:
        listener = listen(port)
        HTTPServer(make_app(ask, upstream)).add_socket(listener)
        announce(listener.getsockname()[1])
        await told_to_stop()


def loop_factory(kind: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes a loop of a kind, "asyncio" or "uvloop"."""
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop
    return asyncio.new_event_loop


def main() -> None:
    """Serve until Ctrl-C."""
    parser = options(__doc__)
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    parser.add_argument("--client", choices=CLIENTS, default="simple", help="which one asks")
    given = parser.parse_args()
    need(*NEEDS.get(given.client, []))
    if given.loop == "uvloop":
        need("uvloop")
    with asyncio.Runner(loop_factory=loop_factory(given.loop)) as runner:
        runner.run(serve(given.port, given.upstream, given.client))


if __name__ == "__main__":
    main()
