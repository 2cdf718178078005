"""The beginning of an answer, read without the parser for e-mail.

That parser is what the standard library reads headers with, and no small part of what a
request costs. Nearly all headers are plain lines with a name and a value; where one is not, the
standard library reads all of them.
"""

from __future__ import annotations

import re
from http import HTTPStatus, client
from typing import Any

from ..replaced import heads_are_replaced

PLAIN = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~\x80-\xff]*)\r\n").fullmatch
# With so many lines, or one of so many bytes, the standard library decides what is too much.
MANY_LINES = 100
LONG_LINE = 65536

NO_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


def parse_headers(fp: Any) -> client.HTTPMessage:
    """Read headers, see `http.client.parse_headers`.

    Raises:
        http.client.HTTPException: there are too many, or one is too long.
    """
    message = client.HTTPMessage()
    lines = list[bytes]()
    while True:
        line = fp.readline(LONG_LINE)
        if line == b"\r\n":
            message.set_payload("")
            return message
        lines.append(line)
        plain = PLAIN(line)
        if plain is None or len(lines) >= MANY_LINES:
            return client.parse_headers(_Unread(lines, fp))
        name, value = plain.groups()
        message.set_raw(name.decode("ascii"), value.decode("iso-8859-1"))


class _Unread:
    """A file whose first lines have been read, and are read again.

    Args:
        lines: those lines.
        fp: the file.
    """

    def __init__(self, lines: list[bytes], fp: Any) -> None:
        self.lines = lines
        self.fp = fp

    def readline(self, limit: int = -1, /) -> bytes:
        line = self.lines.pop(0) if self.lines else b""
        if not line.endswith(b"\n"):
            line += self.fp.readline(max(limit - len(line), 0))
        return line


class PoliteResponse(client.HTTPResponse):
    """An `http.client.HTTPResponse` that reads its headers with `parse_headers` above."""

    def begin(self, **options: Any) -> None:
        """Read the status line and the headers, see `http.client.HTTPResponse.begin`.

        The standard library cannot be given another function that reads headers. So what it
        works out from them is repeated here: how long the body is, as RFC 9112 has it in 6.3.
        """
        if self.headers is not None or self.debuglevel or options or heads_are_replaced():
            super().begin(**options)
            return
        version, status, reason = self._read_status()
        if status == HTTPStatus.CONTINUE:
            # An interim answer is rare, and more may follow: the standard library goes on.
            parse_headers(self.fp)
            super().begin()
            return
        if version in ("HTTP/0.9", "HTTP/1.0"):
            self.version = 10
        elif version.startswith("HTTP/1."):
            self.version = 11
        else:
            raise client.UnknownProtocol(version)
        self.code = self.status = status
        self.reason = reason.strip()
        self.headers = self.msg = parse_headers(self.fp)
        self.chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
        if self.chunked:
            self.chunk_left = None
        self.length = None if self.chunked else _length(self.headers.get("Content-Length"))
        if status in NO_BODY or status < 200 or self._method == "HEAD":
            self.length = 0
        # A body of unknown length ends with its connection.
        is_of_unknown_length = not self.chunked and self.length is None
        self.will_close = is_of_unknown_length or self._check_close()


def _length(text: str | None) -> int | None:
    try:
        length = int(text or "")
    except ValueError:
        return None
    return length if length >= 0 else None
