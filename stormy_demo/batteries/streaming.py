"""Large bodies, up and down, of which the server has no more than a piece in memory at once.

    curl -T FILE http://127.0.0.1:8888/upload
    curl -o FILE 'http://127.0.0.1:8888/download?bytes=300000000'

An upload is counted and digested while it comes. A download is made while it goes, as fast as
its reader reads.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import sys
from collections.abc import Iterator
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import Application, HTTPError, RequestHandler, stream_request_body

from stormy_demo.program import main
from stormy_demo.sentences import NotFoundHandler, SentenceHandler

from .small_bodies import SmallBodies

PIECE = 65536  # bytes
LARGEST = 10_000_000_000  # bytes of a body, unless `make_app` is told another number


@stream_request_body
class UploadHandler(SentenceHandler):
    """Take a body piece by piece; tell its length and its digest."""

    def prepare(self) -> None:
        """Refuse what is too long before it is sent."""
        limit_body(self, self.settings["largest"])
        self.bytes = self.largest_piece = 0
        self.digest = hashlib.sha256()

    def data_received(self, chunk: bytes) -> None:
        """Take a piece. It is gone when this returns."""
        self.bytes += len(chunk)
        self.largest_piece = max(self.largest_piece, len(chunk))
        self.digest.update(chunk)

    def put(self) -> None:
        """Answer, when all of the body has come."""
        sizes = {"bytes": self.bytes, "largest_piece": self.largest_piece}
        self.write({**sizes, "sha256": self.digest.hexdigest()})

    post = put


class DownloadHandler(SentenceHandler):
    """Send a body of any length, as fast as its reader reads, and no faster."""

    async def get(self) -> None:
        """Send as many bytes as the address says."""
        size, largest = _number(self.only_argument("bytes", "")), self.settings["largest"]
        if not 0 <= size <= largest:
            raise HTTPError(400, f"Say how many, from 0 to {largest}: /download?bytes=1000000")
        self.set_header("Content-Type", "text/plain")
        self.set_header("Content-Length", str(size))
        try:
            for piece in pieces(size):
                self.write(piece)
                await self.flush()
                # A flush with nothing to wait for does not let go of the thread, and a fast
                # reader may never let one wait: nobody else would have a turn till the end.
                await asyncio.sleep(0)
        except StreamClosedError:
            # Who asked has left, and there is nobody to tell.
            return
        except asyncio.CancelledError:
            # The server is to stop. Part of a body can only end with its connection.
            self.detach().close()
            raise


def pieces(size: int) -> Iterator[bytes]:
    """Make a body, a piece at a time: lines of 16 bytes with the number of their piece.

    Args:
        size: of the body, in bytes.

    Yields:
        Pieces of `PIECE` bytes; the last has what is left.
    """
    for number, start in enumerate(range(0, size, PIECE), 1):
        line = b"%015d\n" % number
        yield (line * (PIECE // len(line)))[: size - start]


def limit_body(handler: RequestHandler, largest: int) -> None:
    """Take no more than so many bytes of the body that is about to come.

    Without this the limit is what Tornado would keep of a body in memory: 100 MB. A body that
    grows beyond it unannounced ends with a bare 400 of Tornado, and the connection.

    Args:
        handler: a handler in its `prepare`, with `stream_request_body`.
        largest: the limit, in bytes.

    Raises:
        HTTPError: a 413; the body is announced as longer.
    """
    _connection(handler).set_max_body_size(largest)
    if _number(handler.request.headers.get("Content-Length", "")) > largest:
        raise HTTPError(413, f"A body may have {largest} bytes")


def kept(handler: RequestHandler) -> int:
    """Count the bytes that a handler has flushed, and the system has not taken so far.

    Args:
        handler: a handler whose connection is open or has been closed.

    Returns:
        How many bytes Tornado keeps in memory for this connection.
    """
    # No public name says this. Who closes a connection lets go of the buffer.
    buffer = _connection(handler).stream._write_buffer
    return len(buffer) if buffer else 0


def _connection(handler: RequestHandler) -> HTTP1Connection:
    return cast(HTTP1Connection, handler.request.connection)


def _number(text: str) -> int:
    """Return a number of at most 18 digits, or -1: Tornado refuses such a length by itself."""
    return int(text) if re.fullmatch("[0-9]{1,18}", text) else -1


def make_app(largest: int = LARGEST) -> Application:
    """Make the application.

    Args:
        largest: how many bytes a body may have, up or down.

    Raises:
        ValueError: `largest` is less than 0.
    """
    if largest < 0:
        raise ValueError(f"largest must be 0 or more, not {largest}")
    return SmallBodies(
        [(r"/upload", UploadHandler), (r"/download", DownloadHandler)],
        default_handler_class=NotFoundHandler,
        default_handler_args={"there_is": "/upload, with PUT, and /download?bytes=1000000"},
        largest=largest,
    )


if __name__ == "__main__":
    sys.exit(main(make_app))
