"""A request as `http.client` would send it: its headers, and the pieces of its body."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

from urllib3.util.request import SKIP_HEADER, body_to_chunks

# Bytes. A body up to here goes at once, and a longer one in pieces, each with its own time.
AT_ONCE = 64 * 1024
BLOCK = 64 * 1024
USER_AGENT = f"python-urllib3/{version('urllib3')}"


NO_METHOD = re.compile(r"[^-!#$%&'*+.^_`|~0-9a-zA-Z]").search


class Outgoing(NamedTuple):
    """What is to be sent.

    `whole` is a short body. A longer one is in `pieces`, and then `length` is how many bytes it
    has, or None if nobody knows and it goes in chunks.
    """

    headers: list[tuple[str, str]]
    whole: bytes
    pieces: Iterator[bytes] | None
    length: int | None


def outgoing(
    method: str, netloc: str, body: Any, given: Mapping[str, str | bytes], chunked: bool
) -> Outgoing:
    """Return what `urllib3.connection.HTTPConnection.request` would send.

    Args:
        method: such as "GET".
        netloc: the host, and the port if it is not the usual one.
        body: bytes, text, a file, an iterable of pieces, or None.
        given: the headers.
        chunked: whether the body shall go in chunks.

    Raises:
        UnicodeEncodeError: a header is not latin-1, or its name not ASCII.
        ValueError: a header has more than one line, or the method is no word.
    """
    if found := NO_METHOD(method):
        # It would be sent as it is: a method of two lines is the beginning of two requests.
        raise ValueError(
            f"Method cannot contain non-token characters {method!r} "
            f"(found at least {found[0]!r})"
        )
    headers = [(_text(name), _text(value)) for name, value in given.items()]
    _check("".join([part for pair in headers for part in pair]))
    for name, _ in headers:
        # Raises the same UnicodeEncodeError as http.client.
        name.encode("ascii")
    names = {name.lower() for name, _ in headers}
    if isinstance(body, io.TextIOBase):
        # requests counts its characters, and sends that as the number of bytes.
        body = body.read().encode()
        headers = [pair for pair in headers if pair[0].lower() != "content-length"]
        names.discard("content-length")
        chunked = False
    chunks, length = body_to_chunks(body, method, BLOCK)
    if "content-length" in names and not chunked:
        length = _number({n.lower(): v for n, v in headers}["content-length"], length)
    elif chunked or "transfer-encoding" in names or (chunks is not None and length is None):
        length = None
        if "transfer-encoding" not in names:
            headers.insert(0, ("Transfer-Encoding", "chunked"))
    elif length is not None:
        headers.insert(0, ("Content-Length", str(length)))
    if "user-agent" not in names:
        headers.insert(0, ("User-Agent", USER_AGENT))
    if "accept-encoding" not in names:
        headers.insert(0, ("Accept-Encoding", "identity"))
    if "host" not in names:
        headers.insert(0, ("Host", netloc))
    headers = [pair for pair in headers if pair[1] != SKIP_HEADER]
    if chunks is None:
        return Outgoing(headers, b"", None, 0)
    # A HEAD has its body in pieces: with one that goes at once, libcurl makes a POST of it.
    short = isinstance(chunks, tuple) and len(chunks[0]) <= AT_ONCE and method != "HEAD"
    if isinstance(chunks, tuple) and short:
        whole = bytes(chunks[0])
        if len(whole) == length:
            return Outgoing(headers, whole, None, length)
    return Outgoing(headers, b"", _encoded(chunks), length)


def _text(value: Any) -> str:
    return str(value, "latin-1") if isinstance(value, bytes) else str(value)


def _check(text: str) -> None:
    # Raises the same UnicodeEncodeError as http.client.
    text.encode("latin-1")
    if "\r" in text or "\n" in text:
        raise ValueError("Invalid header: it has more than one line")


def _number(text: str, otherwise: int | None) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else otherwise


def _encoded(pieces: Iterable[Any]) -> Iterator[bytes]:
    for piece in pieces:
        # As urllib3 does, which skips a None too.
        if piece:
            # Of a number, `bytes` would make so many zeros.
            yield piece.encode() if isinstance(piece, str) else bytes(memoryview(piece))
