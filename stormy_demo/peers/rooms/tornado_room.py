"""The room on Tornado, by WebSocket and by long poll."""

from __future__ import annotations

import asyncio
import socket

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from .listening import announce

people: set[Socket] = set()
waiting: set[asyncio.Future[str]] = set()


def tell(text: str) -> None:
    """Tell everybody."""
    for person in list(people):
        try:
            person.write_message(text)
        except WebSocketClosedError:
            people.discard(person)
    for news in waiting:
        if not news.done():
            news.set_result(text)


class Socket(WebSocketHandler):
    """Somebody on a WebSocket."""

    def open(self, *args: str, **kwargs: str) -> None:
        """Come in."""
        self.set_nodelay(True)
        people.add(self)

    def on_message(self, message: str | bytes) -> None:
        """Tell it to everybody."""
        if isinstance(message, str):
            tell(message)

    def on_close(self) -> None:
        """Go."""
        people.discard(self)


class News(RequestHandler):
    """A long poll: it is answered when there is news."""

    news: asyncio.Future[str] | None = None

    async def get(self) -> None:
        """Wait for what is said next, and answer with it."""
        self.news = asyncio.get_running_loop().create_future()
        waiting.add(self.news)
        try:
            self.finish(await self.news)
        finally:
            waiting.discard(self.news)

    def on_connection_close(self) -> None:
        """Wait no longer: who asked has gone."""
        if self.news and not self.news.done():
            self.news.cancel()


class Say(RequestHandler):
    """Where something can be said without a WebSocket."""

    def post(self) -> None:
        """Tell it to everybody."""
        tell(self.request.body.decode(errors="replace"))
        self.set_status(204)


class Waiting(RequestHandler):
    """How many wait for news."""

    def get(self) -> None:
        """Answer with the number."""
        self.finish(str(len(waiting)))


def make_app() -> Application:
    """Make the application."""
    return Application(
        [("/socket", Socket), ("/news", News), ("/say", Say), ("/waiting", Waiting)]
    )


async def serve(listener: socket.socket) -> None:
    """Serve it, for ever."""
    HTTPServer(make_app()).add_sockets([listener])
    announce(listener)
    await asyncio.Event().wait()
