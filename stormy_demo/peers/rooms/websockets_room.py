"""The room with the package `websockets`, and its own way to tell many."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.asyncio.server import serve as listen
from websockets.exceptions import ConnectionClosed

from ..starting import BACKLOG
from .listening import announce

people: set[ServerConnection] = set()


async def talk(person: ServerConnection) -> None:
    """Let somebody in, and tell everybody what they say."""
    people.add(person)
    # Many go without a goodbye.
    with suppress(ConnectionClosed):
        async for message in person:
            if isinstance(message, str):
                broadcast(people, message)
    people.discard(person)


async def serve(listener: socket.socket) -> None:
    """Serve it, for ever."""
    # No pings, for which it has a task for each: the other rooms send none.
    async with listen(talk, sock=listener, backlog=BACKLOG, ping_interval=None):
        announce(listener)
        await asyncio.Event().wait()
