"""A line to a server that can be cut, or say nothing more, and be mended again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Connected = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Connected]]


class Line:
    """Forwards what comes at a port of its own to a server, and back.

    Attributes:
        port: the port, on 127.0.0.1.
    """

    def __init__(self, connect: Connect) -> None:
        """Keep how to connect to the server."""
        self.port = 0
        self._connect = connect
        self._is_cut = False
        self._carries = asyncio.Event()
        self._carries.set()
        self._ends = set[asyncio.StreamWriter]()

    def cut(self) -> None:
        """Break all connections, and each that is made from now on."""
        self._is_cut = True
        for end in self._ends:
            end.transport.abort()

    def hang(self) -> None:
        """Carry nothing from now on; who connects is connected."""
        self._carries.clear()

    def mend(self) -> None:
        """Carry again, what has waited too."""
        self._is_cut = False
        self._carries.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        try:
            with suppress(OSError):
                if self._is_cut:
                    return
                back_reader, back = await self._connect()
                self._ends.add(back)
                await asyncio.gather(
                    self._carry(reader, back), self._carry(back_reader, writer)
                )
        finally:
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._carries.wait()
                writer.write(data)
                await writer.drain()
        finally:
            writer.transport.abort()


@asynccontextmanager
async def line_to(connect: Connect) -> AsyncIterator[Line]:
    """Give a line to a server for as long as the block lasts.

    Args:
        connect: connects to the server.
    """
    line = Line(connect)
    tasks = set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        with suppress(asyncio.CancelledError):
            await line.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        server.close()
        line.mend()
        line.cut()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
