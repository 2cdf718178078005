"""The room with python-socketio, on Tornado."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import socketio  # type: ignore[import-untyped]
from tornado.httpserver import HTTPServer
from tornado.web import Application

from .listening import PATIENCE, announce

# A machine that is busy for a while is no reason to send anybody away.
sio = socketio.AsyncServer(async_mode="tornado", ping_timeout=PATIENCE)


@sio.event  # type: ignore[untyped-decorator]
async def say(_sid: str, text: str) -> None:
    """Tell it to everybody."""
    await sio.emit("said", text)


class Socket(socketio.get_tornado_handler(sio)):  # type: ignore[misc]
    """The handler of the library, which leaves Nagle's algorithm on."""

    async def open(self, *args: Any, **kwargs: Any) -> None:
        """Have each frame sent at once."""
        self.set_nodelay(True)
        await super().open(*args, **kwargs)


async def serve(listener: socket.socket) -> None:
    """Serve it, for ever."""
    HTTPServer(Application([("/socket.io/", Socket)])).add_sockets([listener])
    announce(listener)
    await asyncio.Event().wait()
