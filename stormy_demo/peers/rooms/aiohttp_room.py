"""The room on aiohttp, by WebSocket and by long poll."""

from __future__ import annotations

import asyncio
import socket

from aiohttp import WSMsgType, web

from ..starting import BACKLOG
from .listening import announce

people: set[web.WebSocketResponse] = set()
waiting: set[asyncio.Future[str]] = set()


async def tell(text: str) -> None:
    """Tell everybody."""
    for person in list(people):
        try:
            # It waits for those alone who do not read.
            await person.send_str(text)
        except ConnectionError:
            people.discard(person)
    for news in waiting:
        if not news.done():
            news.set_result(text)


async def get_socket(request: web.Request) -> web.WebSocketResponse:
    """Let somebody in, who speaks by WebSocket."""
    person = web.WebSocketResponse()
    await person.prepare(request)
    people.add(person)
    try:
        async for message in person:
            if message.type is WSMsgType.TEXT:
                await tell(message.data)
    finally:
        people.discard(person)
    return person


async def get_news(_: web.Request) -> web.Response:
    """Answer a long poll: with what is said next."""
    news: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    waiting.add(news)
    try:
        return web.Response(text=await news)
    finally:
        waiting.discard(news)


async def say(request: web.Request) -> web.Response:
    """Say something without a WebSocket."""
    await tell((await request.read()).decode(errors="replace"))
    return web.Response(status=204)


async def get_waiting(_: web.Request) -> web.Response:
    """Answer with how many wait for news."""
    return web.Response(text=str(len(waiting)))


def make_app() -> web.Application:
    """Make the application."""
    app = web.Application()
    app.add_routes(
        [
            web.get("/socket", get_socket),
            web.get("/news", get_news),
            web.post("/say", say),
            web.get("/waiting", get_waiting),
        ]
    )
    return app


async def serve(listener: socket.socket) -> None:
    """Serve it, for ever."""
    # Who has gone is noticed while they wait, as with Tornado; and nothing is written to a log
    # that nobody reads.
    runner = web.AppRunner(make_app(), access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.SockSite(runner, listener, backlog=BACKLOG).start()
    announce(listener)
    await asyncio.Event().wait()
