"""The beginning of an answer, read without the parser for e-mail.

That parser is what the standard library reads headers with, and no small part of what a
request costs. Nearly all headers are plain lines with a name and a value; where one is not, the
standard library reads all of them.
"""

from __future__ import annotations

import io
import re
from http import HTTPStatus, client
from typing import Any, cast

from ..replaced import heads_are_replaced

NAME, VALUE = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", rb"[\t -~\x80-\xff]*"
LINE = rb"(%b):(%b)\r\n" % (NAME, VALUE)
PLAIN = re.compile(LINE).fullmatch
ALL_LINES = re.compile(LINE).findall
# A whole beginning that has nothing unusual: a version, a status, a reason, and such lines.
WHOLE = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9][0-9]) ([!-~](?:[ -~]*[!-~])?)\r\n"
    rb"((?:%b:%b\r\n)*)\r\n" % (NAME, VALUE)
).match
# With so many lines, or one of so many bytes, the standard library decides what is too much.
MANY_LINES = 100
LONG_LINE = 65536
BLANKS = b" \t"

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
        message.set_raw(name.decode("ascii"), value.lstrip(BLANKS).decode("iso-8859-1"))


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


class Headers(client.HTTPMessage):
    """Headers that are asked for as those of an answer are, and not as those of an e-mail.

    An e-mail looks at each value for bytes that could not be decoded. In a text that is ASCII
    there are none.
    """

    def items(self) -> list[tuple[str, Any]]:
        """Return all names and values, see `email.message.Message.items`."""
        return [(name, self._value(name, value)) for name, value in self.raw_items()]

    def get_all(self, name: str, failobj: Any = None) -> Any:
        """Return all values of a name, see `email.message.Message.get_all`."""
        name = name.lower()
        found = [self._value(n, v) for n, v in self.raw_items() if n.lower() == name]
        return found or failobj

    def _value(self, name: str, value: Any) -> Any:
        if type(value) is str and value.isascii():
            return value
        return self.policy.header_fetch_parse(name, value)


class PoliteResponse(client.HTTPResponse):
    """An `http.client.HTTPResponse` that reads its headers with `parse_headers` above.

    Whoever reads its body in many pieces lets others on the loop have turns.
    """

    code: int
    _method: str
    _check_close: Any

    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
        """Read from a socket, see `http.client.HTTPResponse`."""
        super().__init__(sock, *args, **options)
        self._give_way = getattr(sock, "give_way", _nobody_waits)

    def read(self, amt: int | None = None) -> bytes:
        """Read some of the body, see `http.client.HTTPResponse.read`."""
        self._give_way()
        return super().read(amt)

    def read1(self, n: int = -1) -> bytes:
        """Read what there is, see `http.client.HTTPResponse.read1`."""
        self._give_way()
        return super().read1(n)

    def readinto(self, b: Any) -> int:
        """Read into a buffer, see `http.client.HTTPResponse.readinto`."""
        self._give_way()
        return super().readinto(b)

    def _safe_read(self, amt: int) -> bytes:
        # With this urllib3 reads each chunk.
        self._give_way()
        read: Any = super()._safe_read  # type: ignore[misc]
        return cast(bytes, read(amt))

    def begin(self, **options: Any) -> None:
        """Read the status line and the headers, see `http.client.HTTPResponse.begin`.

        The standard library cannot be given another function that reads headers. So what it
        works out from them is repeated here: how long the body is, as RFC 9112 has it in 6.3.
        """
        if self.headers is not None or self.debuglevel or options or heads_are_replaced():
            super().begin(**options)
            return
        if self._begin_at_once():
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
        self._work_out(self.headers)

    def _begin_at_once(self) -> bool:
        """Read a beginning that has come whole, as nearly all do, and return whether it has."""
        file = self.fp
        whole = WHOLE(file.peek()) if type(file) is io.BufferedReader else None
        lines = ALL_LINES(whole[3]) if whole else ()
        if whole is None or len(lines) >= MANY_LINES:
            return False
        file.read(whole.end())
        self.headers = self.msg = message = Headers()
        message.set_payload("")
        # The first of each name is the one that counts.
        first = dict[str, str]()
        for line in lines:
            name, value = line[0].decode("ascii"), line[1].lstrip(BLANKS).decode("iso-8859-1")
            message.set_raw(name, value)
            first.setdefault(name.lower(), value)
        self.version = 11
        self.code = self.status = int(whole[1])
        self.reason = whole[2].decode("ascii")
        self._work_out(first)
        return True

    def _work_out(self, headers: Any) -> None:
        """Work out how long the body is."""
        self.chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        if self.chunked:
            self.chunk_left = None
        self.length = None if self.chunked else _length(headers.get("content-length"))
        if self.status in NO_BODY or self.status < 200 or self._method == "HEAD":
            self.length = 0
        # A body of unknown length ends with its connection.
        is_of_unknown_length = not self.chunked and self.length is None
        if self.version == 11:
            closes = "close" in headers.get("connection", "").lower()
        else:
            closes = self._check_close()
        self.will_close = is_of_unknown_length or closes


def _nobody_waits() -> None:
    """Stand for the turns of what is no socket of ours."""


def _length(text: str | None) -> int | None:
    try:
        length = int(text or "")
    except ValueError:
        return None
    return length if length >= 0 else None
