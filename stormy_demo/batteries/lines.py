r"""A protocol of lines on TCP: a store for words, and its client.

A client sends commands, each a line, and each is answered by a line, in their order::

    set ada 10      ok
    get ada         ok 10
    get grace       error there is no such name

TCP brings bytes, and knows no lines: `read_until` waits until a whole one is there. Try it::

    python -m stormy_demo.batteries.lines --port=8889
    nc 127.0.0.1 8889
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer

from stormy_demo.listening import main

# Bytes of a line, with its end: of a command, which bounds what a client can make the server
# keep, and of an answer, which may have a word of a command in it.
LONGEST = 64
LONGEST_ANSWER = 2 * LONGEST
MOST_NAMES = 1000

HELP = "say `set NAME WORD`, or `get NAME`"


class Store(TCPServer):
    """Keeps a word for each name, in memory, for all clients together."""

    def __init__(self, patience: float = 60.0) -> None:
        """Begin with nothing.

        Args:
            patience: close a connection when a line, or the sending of its answer, has taken
                this many seconds.
        """
        super().__init__()
        self.patience = patience
        self.words: dict[str, str] = {}

    async def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Answer the lines of one client."""
        try:
            while True:
                async with asyncio.timeout(self.patience):
                    line = await stream.read_until(b"\n", max_bytes=LONGEST)
                    # So no write is cancelled, and others have a turn after each.
                    await asyncio.wait([stream.write(self.answer(line))])
        except (StreamClosedError, TimeoutError):
            return
        finally:
            stream.close()

    def answer(self, line: bytes) -> bytes:
        """Do what a line says, and return the line that answers it.

        Args:
            line: the command, with its end.

        Returns:
            "ok", perhaps with a word, or "error" and why; with the line's end.
        """
        return f"{self._obey(line)}\n".encode()

    def _obey(self, line: bytes) -> str:
        try:
            command = line.decode().split()
        except UnicodeDecodeError:
            return "error this is not UTF-8"
        match command:
            case ["set", name, word]:
                if name not in self.words and len(self.words) == MOST_NAMES:
                    return "error the store is full"
                self.words[name] = word
                return "ok"
            case ["get", name]:
                word = self.words.get(name, "")
                return f"ok {word}" if word else "error there is no such name"
            case _:
                return f"error {HELP}"


class Client:
    """The other end of a connection to a `Store`."""

    def __init__(self, stream: IOStream) -> None:
        """Ask through a stream that is connected already."""
        self.stream = stream
        self._asking = asyncio.Lock()

    async def ask(self, command: str) -> str:
        """Send a command, and return its answer. Others who ask meanwhile wait for their turn.

        Args:
            command: without the line's end.

        Raises:
            StreamClosedError: the connection is closed: the command was too long, or the
                server left.
            ValueError: the command is more than one line, or cannot be encoded.
        """
        if "\n" in command:
            raise ValueError("a command is one line")
        line = f"{command}\n".encode()
        async with self._asking:
            try:
                # Whoever waits for the answer need not wait for this.
                self.stream.write(line)
                answer = await self.stream.read_until(b"\n", max_bytes=LONGEST_ANSWER)
            except BaseException:
                # The answer may come later, and would be taken for that of the next command.
                self.stream.close()
                raise
        return answer.decode().removesuffix("\n")


@asynccontextmanager
async def connected(host: str, port: int) -> AsyncIterator[Client]:
    """Connect to a `Store` for as long as the block lasts.

    Args:
        host: its address.
        port: its port.

    Yields:
        The client.

    Raises:
        OSError: nobody listens there.
    """
    stream = await TCPClient().connect(host, port)
    try:
        yield Client(stream)
    finally:
        stream.close()


if __name__ == "__main__":
    sys.exit(main(Store))
