"""The body of an answer as plain code reads it: a file inside of a response of urllib3."""

from __future__ import annotations

import http.client
from collections.abc import Generator
from typing import Any

from urllib3 import HTTPResponse as RawResponse
from urllib3.exceptions import ResponseNotChunked

from .answers import Head


class Body:
    """The body of an answer, as a file."""

    def __init__(self, exchange: Any) -> None:
        """Read what comes to an exchange."""
        self.exchange = exchange
        head: Head = exchange.head
        # Some look at what urllib3 reads from, as at a response of the standard library.
        self.version, self.status, self.reason = head.number, head.status, head.reason
        self.msg = self.headers = head.message
        self.closed = False
        # How many bytes are to come, if that is known.
        self.left: int | None = None

    def isclosed(self) -> bool:
        """Return whether there is nothing more to read."""
        return self.closed

    def close(self) -> None:
        """Read no more."""
        self.closed = True
        self.exchange.close()

    def read(self, amt: int | None = None) -> bytes:
        """Return so many bytes, fewer at the end only; None is all."""
        parts = list[bytes]()
        have = 0
        while amt is None or have < amt:
            try:
                part = self.read1(None if amt is None else amt - have)
            except TimeoutError:
                for read in reversed(parts):
                    self.exchange.pieces.appendleft(read)
                    self.exchange.size += len(read)
                if self.left is not None:
                    self.left += have
                raise
            except Exception:
                # What has come is returned; the next read raises the error.
                if parts and amt is not None:
                    break
                raise
            if not part:
                break
            parts.append(part)
            have += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read1(self, amt: int | None = None) -> bytes:
        """Return what there is, so many bytes at most; none at the end."""
        if self.closed or amt == 0:
            return b""
        if self.left == 0:
            self.closed = True
            return b""
        try:
            part: bytes = self.exchange.take(amt)
        except http.client.IncompleteRead:
            if self.left is None:
                raise
            # urllib3 knows how much is missing, and whether that matters.
            part = b""
        if self.left is not None:
            self.left -= len(part)
        if not part or self.left == 0:
            self.closed = True
        return part


class RawAnswer(RawResponse):
    """A response of urllib3 whose body comes without the marks of chunks.

    Tornado's client has taken them away.
    """

    def supports_chunked_reads(self) -> bool:
        """Return whether `read_chunked` may be called, see urllib3."""
        return True

    def read_chunked(
        self, amt: int | None = None, decode_content: bool | None = None
    ) -> Generator[bytes]:
        """Return the pieces as they come, see `urllib3.HTTPResponse.read_chunked`."""
        if not self.chunked:
            raise ResponseNotChunked(
                "Response is not chunked. Header 'transfer-encoding: chunked' is missing."
            )
        while amt != 0:
            piece = self.read1(amt, decode_content)
            if not piece:
                return
            yield piece


class Original:
    """As much of `http.client.HTTPResponse` as requests and urllib3 use."""

    def __init__(self, head: Head, body: Body) -> None:
        """Stand for a response of the standard library."""
        self.msg = self.headers = head.message
        self.status = self.code = head.status
        self.reason = head.reason
        self.version = head.number
        self.isclosed = body.isclosed
        self.close = body.close
