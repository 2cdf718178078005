"""The room with python-socketio, as an application of ASGI, on uvicorn."""

from __future__ import annotations

import socket

import socketio  # type: ignore[import-untyped]
import uvicorn

from ..starting import BACKLOG
from .listening import PATIENCE, announce

# A machine that is busy for a while is no reason to send anybody away.
sio = socketio.AsyncServer(async_mode="asgi", ping_timeout=PATIENCE)


@sio.event  # type: ignore[untyped-decorator]
async def say(_sid: str, text: str) -> None:
    """Tell it to everybody."""
    await sio.emit("said", text)


async def serve(listener: socket.socket) -> None:
    """Serve it, for ever."""
    # The loop of asyncio: uvloop would be a comparison of its own. And no pings of WebSockets:
    # Socket.IO has its own, and the other rooms have these alone.
    config = uvicorn.Config(
        socketio.ASGIApp(sio),
        loop="asyncio",
        log_level="error",
        backlog=BACKLOG,
        ws_ping_interval=None,
    )
    # It listens since it was made: who comes before the server has started has to wait.
    announce(listener)
    await uvicorn.Server(config).serve(sockets=[listener])
