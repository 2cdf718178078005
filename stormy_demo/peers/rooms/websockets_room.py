"""The room with the package `websockets`, and its own way to tell many."""

from __future__ import annotations

import asyncio
import socket

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.asyncio.server import serve as listen

from ..starting import BACKLOG
from .listening import announce

people: set[ServerConnection] = set()


async def talk(person: ServerConnection) -> None:
    """Let somebody in, and tell everybody what they say."""
    people.add(person)
    try:
        async for message in person:
            if isinstance(message, str):
                broadcast(people, message)
    finally:
        people.discard(person)


async def serve(listener: socket.socket) -> None:
    """Serve it, for ever."""
    async with listen(talk, sock=listener, backlog=BACKLOG):
        announce(listener)
        await asyncio.Event().wait()
