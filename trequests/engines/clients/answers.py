"""An answer as it comes to Tornado's simple client, read as `http.client` and urllib3 read it.

Tornado refuses what is not quite HTTP, such as a header that is folded or a status without a
reason. Servers send that, and requests takes it.
"""

from __future__ import annotations

import asyncio
import http.client
import io
import re
from collections.abc import Awaitable
from typing import Any, TypeVar, cast

from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from urllib3.exceptions import HTTPError, InvalidChunkLength, ProtocolError

from ..sockets.headers import PoliteResponse

T = TypeVar("T")

# Bytes: as much as http.client reads, which is a hundred lines of 64 KB.
MAX_HEADERS = 100 * 65536
MAX_LINE = 65536
# Bytes that are read, or kept back, at once.
BLOCK = 64 * 1024
# After so many reads that had nothing to wait for, others on the loop have a turn.
IN_A_ROW = 64

INTERIM = re.compile(rb"HTTP/\S*\s+1(?!01)\d\d\s").match


class Head:
    """The beginning of an answer: its status line, and the headers.

    Args:
        data: the bytes of both, or what there is of them.
        method: of the request.

    Raises:
        http.client.HTTPException: it is none.
    """

    def __init__(self, data: bytes, method: str) -> None:
        """Read it as the standard library does."""
        read = PoliteResponse(_File(data), method=method)
        read.begin()
        # As http.client has it, such as 11.
        self.number = read.version
        self.version = f"HTTP/{read.version // 10}.{read.version % 10}"
        self.status = read.status
        self.reason = read.reason
        self.message = read.headers
        # Bytes of the body; None is that its end is not known from the beginning.
        self.length = read.length
        # As urllib3 has it, which takes the marks of chunks away.
        codings = read.headers.get("Transfer-Encoding", "").lower().split(",")
        self.is_chunked = self.length != 0 and "chunked" in map(str.strip, codings)


class _File:
    """What `http.client` takes for a socket: it has the bytes that were given, and no more."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self.data)


def is_interim(data: bytes) -> bool:
    """Return whether another answer follows this one, such as after a 100 (Continue)."""
    return INTERIM(data) is not None


class AnswerReader(HTTP1Connection):
    """A connection of Tornado's that reads an answer in this way, and sends as ever."""

    async def _read_message(self, delegate: Any) -> bool:
        # What Tornado calls to read an answer. The delegate is the connection of `simple`.
        self._kept = bytearray()
        self._in_a_row = 0
        try:
            await self._read_answer(delegate)
        except StreamClosedError:
            await self._hand_on(delegate)
            delegate.on_connection_close()
        except (http.client.HTTPException, HTTPError) as error:
            await self._hand_on(delegate)
            delegate.failed(error)
        else:
            await self._hand_on(delegate)
            delegate.finish()
        finally:
            self._clear_callbacks()
        return False

    async def _read_answer(self, delegate: Any) -> None:
        data = await self._head()
        while is_interim(data):
            data = await self._head()
        head = Head(data, delegate.request.method)
        delegate.head_came(head)
        if head.is_chunked:
            await self._chunks(delegate)
        elif head.length is not None:
            await self._bytes(delegate, head.length)
        else:
            await self._until_closed(delegate)

    async def _head(self) -> bytes:
        read = self.stream.read_until_regex(rb"\n\r?\n", max_bytes=MAX_HEADERS)
        return await self._or_what_there_is(read)

    async def _or_what_there_is(self, read: Awaitable[bytes]) -> bytes:
        try:
            return await read
        except StreamClosedError:
            if self.stream.error:
                raise
            # http.client, too, takes headers that break off for complete.
            return await self.stream.read_until_close()

    # -- the body --------------------------------------------------------------------------

    async def _chunks(self, delegate: Any) -> None:
        while size := await self._size_of_chunk(delegate):
            await self._bytes(delegate, size)
            await self._soon(delegate, self.stream.read_bytes(2))
        while await self._line(delegate) not in (b"\r\n", b""):
            # Trailers: http.client drops them too.
            pass

    async def _size_of_chunk(self, delegate: Any) -> int:
        line = await self._line(delegate)
        try:
            size = int(line.split(b";", 1)[0], 16)
        except ValueError:
            size = -1
        if size >= 0:
            return size
        if not line:
            raise ProtocolError("Response ended prematurely")
        raise InvalidChunkLength(cast(Any, _Nothing), line)

    async def _line(self, delegate: Any) -> bytes:
        read = self.stream.read_until(b"\n", max_bytes=MAX_LINE)
        return await self._soon(delegate, self._or_what_there_is(read), read)

    async def _bytes(self, delegate: Any, left: int) -> None:
        while left:
            read = self.stream.read_bytes(min(left, BLOCK), partial=True)
            piece = await self._soon(delegate, read)
            left -= len(piece)
            await self._keep(delegate, piece)

    async def _until_closed(self, delegate: Any) -> None:
        while True:
            try:
                read = self.stream.read_bytes(BLOCK, partial=True)
                piece = await self._soon(delegate, read)
            except StreamClosedError:
                return
            await self._keep(delegate, piece)

    # Small pieces are put together, as long as nobody has to wait for that.

    async def _soon(self, delegate: Any, result: Awaitable[T], read: Any = None) -> T:
        if not (read or cast(Any, result)).done():
            self._in_a_row = 0
            await self._hand_on(delegate)
        elif self._in_a_row > IN_A_ROW:
            self._in_a_row = 0
            await asyncio.sleep(0)
        self._in_a_row += 1
        return await result

    async def _keep(self, delegate: Any, piece: bytes) -> None:
        self._kept += piece
        if len(self._kept) >= BLOCK:
            await self._hand_on(delegate)

    async def _hand_on(self, delegate: Any) -> None:
        if self._kept:
            piece = bytes(self._kept)
            self._kept.clear()
            room = delegate.data_received(piece)
            if room:
                await room


class _Nothing:
    """An answer of which nothing was read, for the exception that wants to know that."""

    @staticmethod
    def tell() -> int:
        return 0

    length_remaining = 0
