"""Clients that the checker plays, and the server that gives them to the learner's code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tornado.iostream import IOStream
from tornado.netutil import bind_sockets
from tornado.tcpserver import TCPServer

from classroom.examining.case import turns, until
from loopfilm import LOCALHOST


class Conversation(asyncio.Protocol):
    """A client, and what became of it on both sides.

    Attributes:
        heard: what was sent to it.
        gone: whether its connection is closed.
        received: how many bytes the learner's side has taken from the socket.
        leaves: close the learner's end once a line's end is read, as if the client had left.
        ended: whether the learner's `serve` has.
        error: the exception with which that ended.
    """

    def __init__(self) -> None:
        self.heard = b""
        self.gone = False
        self.received = 0
        self.leaves = False
        self.stream: IOStream | None = None
        self.ended = False
        self.error: BaseException | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what sends."""
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        """Keep what was sent."""
        self.heard += data

    def connection_lost(self, _: Exception | None) -> None:
        """Note that it is closed."""
        self.gone = True

    async def send(self, data: bytes) -> None:
        """Send some bytes, and wait until they were taken from the socket."""
        wanted = self.received + len(data)
        self.transport.write(data)
        await until(lambda: self.received >= wanted or self.ended or self.gone)
        await turns()

    async def lines(self, number: int) -> bytes:
        """Wait for so many lines; return what was heard since the last call."""
        await until(lambda: self.heard.count(b"\n") >= number or self.ended or self.gone)
        await turns()
        heard, self.heard = self.heard, b""
        return heard

    @property
    def is_read(self) -> bool:
        """Whether the learner's side waits for more from this client."""
        return bool(self.stream and self.stream.reading())

    def watch(self, stream: IOStream) -> None:
        """Count what is taken from a socket."""
        self.stream = stream
        read_from_fd = stream.read_from_fd

        def counting(buf: bytearray | memoryview) -> int | None:
            number = read_from_fd(buf)
            self.received += number or 0
            if self.leaves and b"\n" in bytes(buf[: number or 0]):
                # Before whoever waits for the line has its turn.
                asyncio.get_running_loop().call_soon(stream.close)
            return number

        stream.read_from_fd = counting  # type: ignore[method-assign]


class Server(TCPServer):
    """Gives each client to the learner's `serve`."""

    def __init__(self, serve: Callable[[IOStream], Any]) -> None:
        super().__init__()
        self.serve = serve
        self.coming: asyncio.Queue[Conversation] = asyncio.Queue()
        [socket] = sockets = bind_sockets(0, LOCALHOST)
        self.port = socket.getsockname()[1]
        self.add_sockets(sockets)

    async def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Have a client served, and note how that ends."""
        conversation = await self.coming.get()
        conversation.watch(stream)
        try:
            if serving := self.serve(stream):
                await serving
        except asyncio.CancelledError:
            raise
        except Exception as error:
            conversation.error = error
        finally:
            conversation.ended = True

    async def client(self) -> Conversation:
        """Connect."""
        loop = asyncio.get_running_loop()
        _, conversation = await loop.create_connection(Conversation, LOCALHOST, self.port)
        self.coming.put_nowait(conversation)
        await turns()
        return conversation
