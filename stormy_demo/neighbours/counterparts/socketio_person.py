"""Somebody with Socket.IO's client for Python."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Any

from ..socketio_door import socketio

if not find_spec("aiohttp"):
    # The library writes that to its log, and then waits for ever.
    raise ImportError(
        "A client of Socket.IO needs aiohttp: pip install aiohttp", name="aiohttp"
    )


class Person(socketio.AsyncClient):  # type: ignore[misc]
    """A client that keeps what comes with each event `said`.

    Attributes:
        heard: it, in the order in which it came.
    """

    def __init__(self, **options: Any) -> None:
        """Make one, see `socketio.AsyncClient`."""
        # Otherwise it takes Ctrl-C over, in a notebook too, and never gives it back.
        super().__init__(**{"handle_sigint": False, **options})
        self.heard: list[Any] = []
        self._more = asyncio.Event()
        self._gone = False
        self.on("said", self._hear)
        self.on("disconnect", self._end)

    def _hear(self, *messages: Any) -> None:
        self.heard.extend(messages)
        self._more.set()

    def _end(self, _reason: str) -> None:
        self._gone = not self.reconnection
        self._more.set()

    async def hear(self, number: int) -> list[Any]:
        """Wait until so many messages have been heard, and return all.

        Raises:
            ConnectionError: so many will not come, since the connection has gone.
        """
        while len(self.heard) < number:
            if self._gone:
                raise ConnectionError(f"The connection went after {self.heard}.")
            self._more.clear()
            await self._more.wait()
        return self.heard


@asynccontextmanager
async def joined(url: str, **options: Any) -> AsyncIterator[Person]:
    """Have somebody be connected as long as the block lasts.

    Args:
        url: the server.
        **options: passed on to `socketio.AsyncClient.connect`.

    Yields:
        The client.
    """
    person = Person(reconnection=False)
    try:
        await person.connect(url, **{"wait_timeout": 60, **options})
        yield person
    finally:
        await person.disconnect()
