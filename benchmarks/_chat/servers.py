"""The chats that are measured: one room, and each text goes to everybody in it.

    python -m benchmarks._chat.servers MODE [--port 8902]

Each of them tells the same JSON, which is made once for a text. What a mode needs is imported
in its function, so that the memory of a process is that of its mode. Nothing is set but what
has to be: pings and time limits are those that each package has by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from .._shared import LOCALHOST
from .._shared.serving import BACKLOG, announce, end_with_stdin
from .dialects import Plain, SocketIO

if TYPE_CHECKING:
    from tornado.web import Application
    from websockets.asyncio.server import ServerConnection

numbers = itertools.count(1)


def told(name: str, text: str) -> dict[str, Any]:
    """Return what everybody is told of a text."""
    return {"id": next(numbers), "name": name, "text": text}


async def ours(port: int) -> None:
    """Serve the chat of the batteries, as it runs as a program."""
    from loopfilm import running
    from stormy_demo.batteries.chat import make_app

    # Nobody who waits for news is told meanwhile that there are none.
    async with running(make_app(patience=3600), port=port) as url:
        announce(int(url.rpartition(":")[2]))
        await asyncio.Event().wait()


async def serve(app: Application, port: int) -> None:
    """Serve an application of Tornado."""
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets

    sockets = bind_sockets(port, LOCALHOST, backlog=BACKLOG)
    HTTPServer(app).add_sockets(sockets)
    announce(sockets[0].getsockname()[1])
    await asyncio.Event().wait()


async def plain(port: int) -> None:
    """Serve the chat that one writes first: `write_message` to each."""
    from tornado.web import Application
    from tornado.websocket import WebSocketClosedError, WebSocketHandler

    people: set[WebSocketHandler] = set()

    class Chat(WebSocketHandler):
        def open(self) -> None:
            people.add(self)

        def on_message(self, text: str | bytes) -> None:
            message = json.dumps(told(self.get_argument("name"), str(text)))
            for person in list(people):
                try:
                    person.write_message(message)
                except WebSocketClosedError:
                    people.discard(person)

        def on_close(self) -> None:
            people.discard(self)

    await serve(Application([("/socket", Chat)]), port)


async def websockets(port: int) -> None:
    """Serve it with the package `websockets`, and its own way to tell many."""
    from websockets.asyncio.server import broadcast
    from websockets.asyncio.server import serve as listen

    people: set[ServerConnection] = set()

    async def talk(person: ServerConnection) -> None:
        assert person.request
        name = parse_qs(urlsplit(person.request.path).query)["name"][0]
        people.add(person)
        try:
            async for text in person:
                broadcast(people, json.dumps(told(name, str(text))))
        finally:
            people.discard(person)

    async with listen(talk, LOCALHOST, port, backlog=BACKLOG) as server:
        announce(next(iter(server.sockets)).getsockname()[1])
        await asyncio.Event().wait()


async def socketio(port: int) -> None:
    """Serve it with python-socketio, on Tornado."""
    import socketio  # type: ignore[import-untyped]
    from tornado.web import Application

    server = socketio.AsyncServer(async_mode="tornado")
    names: dict[str, str] = {}

    async def connect(sid: str, environ: dict[str, str]) -> None:
        names[sid] = parse_qs(environ["QUERY_STRING"])["name"][0]

    async def say(sid: str, text: str) -> None:
        # A text is looked at in a task of its own, and whoever sent it may have gone by then.
        if name := names.get(sid):
            await server.emit("said", told(name, text))

    async def disconnect(sid: str) -> None:
        names.pop(sid, None)

    for handler in (connect, say, disconnect):
        server.on(handler.__name__, handler)
    await serve(Application([("/socket.io/", socketio.get_tornado_handler(server))]), port)


OURS, BASELINE = "our chat", "plain Tornado"
# How each chat is served, and what it speaks.
CHATS: dict[str, tuple[Callable[[int], Coroutine[None, None, None]], Plain | SocketIO]] = {
    OURS: (ours, Plain()),
    BASELINE: (plain, Plain()),
    "websockets": (websockets, Plain()),
    "python-socketio": (socketio, SocketIO()),
}


def main() -> None:
    """Serve in one of the modes, until Ctrl-C or the end of stdin."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks._chat.servers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("mode", choices=CHATS)
    parser.add_argument("--port", type=int, default=0, help="where to serve")
    parser.add_argument("--end-with-stdin", action="store_true", help="end when stdin does")
    given = parser.parse_args()
    if given.end_with_stdin:
        end_with_stdin()
    serve_it, _ = CHATS[given.mode]
    try:
        asyncio.run(serve_it(given.port))
    except ImportError as error:
        print(f"{given.mode} is left out: {error}", flush=True)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
