"""Whatever a server sends, its visitor has an answer that says what came."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from loopfilm import NO_ANSWER
from tests.loopfilm.servers import watch

LOST = (NO_ANSWER, "The connection was lost.")
UNREADABLE = (
    NO_ANSWER,
    "The answer cannot be read: delimiter re.compile(b'\\r?\\n\\r?\\n') not found within 65536 "
    "bytes.",
)
IMAGE = b"\x89PNG\r\n\x1a\n\x00\xff"
CAFE = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
DEEP = "[" * 200_000


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return a whole answer as it is sent."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def kind(of: str, body: bytes) -> bytes:
    return answer(body, f"Content-Type: {of}")


def chunked(*chunks: bytes) -> bytes:
    sent = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + sent


SENT: dict[str, tuple[bytes, tuple[int, Any]]] = {
    # Bytes, and text.
    "an image": (kind("image/png", IMAGE), (200, IMAGE)),
    "an image that calls itself text": (kind("text/html", IMAGE), (200, IMAGE)),
    "latin-1 that does not say so": (
        kind("text/plain", CAFE.encode("latin-1")),
        (200, b"caf\xe9"),
    ),
    "latin-1 that says so": (
        kind("text/plain; charset=ISO-8859-1", CAFE.encode("latin-1")),
        (200, CAFE),
    ),
    "a charset in quotes": (kind('text/plain; charset="UTF-8"', CAFE.encode()), (200, CAFE)),
    "UTF-16": (kind("text/plain; charset=utf-16", CAFE.encode("utf-16")), (200, CAFE)),
    "a charset that it is not": (kind("text/plain; charset=utf-16", b"abc"), (200, b"abc")),
    "a charset that nobody knows": (kind("text/plain; charset=klingon", b"abc"), (200, b"abc")),
    "a charset that is none": (kind("text/plain; charset=zlib", b"abc"), (200, b"abc")),
    "a type that is none": (kind("\xe9;;=", b"abc"), (200, "abc")),
    "no type": (answer(CAFE.encode()), (200, CAFE)),
    # Data.
    "JSON": (kind("application/json; charset=UTF-8", b'{"a": [1]}'), (200, {"a": [1]})),
    "JSON in capitals": (kind("Application/JSON", b"[]"), (200, [])),
    "JSON in latin-1": (kind("application/json; charset=latin-1", b'"\xe9"'), (200, "\xe9")),
    "JSON that is none": (kind("application/json", b"{"), (200, "{")),
    "JSON that is no text": (kind("application/json", b"\xff{"), (200, b"\xff{")),
    "JSON that is too deep": (kind("application/json", DEEP.encode()), (200, DEEP)),
    "many JSONs": (kind("application/json-seq", b"[]"), (200, "[]")),
    # No body, and how long a body is.
    "nothing": (answer(b""), (200, "")),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", (204, "")),
    "304": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", (304, "")),
    "a megabyte": (answer(b"x" * 2**20), (200, "x" * 2**20)),
    "chunks": (chunked(b"ca", b"f\xc3", b"\xa9", b""), (200, CAFE)),
    "gzip": (answer(gzip.compress(CAFE.encode()), "Content-Encoding: gzip"), (200, CAFE)),
    "until the end": (b"HTTP/1.1 200 OK\r\n\r\nabc", (200, "abc")),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\nabc", (200, "abc")),
    "more than it says": (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc", (200, "a")),
    # What is unusual, and is an answer.
    "a redirect to itself": (answer(b"", "Location: /", status="302 Found"), (302, "")),
    "a redirect elsewhere": (
        answer(b"gone", "Location: http://127.0.0.1:9/", status="301 Moved"),
        (301, "gone"),
    ),
    "a header beyond ASCII": (answer(b"abc", "X-Name: \xe9\xff"), (200, "abc")),
    "a status that nobody knows": (answer(b"abc", status="799 Odd"), (799, "abc")),
    "hints before it": (b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer(b"abc"), (200, "abc")),
    # What is none.
    "the end": (b"", LOST),
    "no HTTP": (b"hello\r\n\r\n", LOST),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-", LOST),
    "half a body": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", LOST),
    "half of the chunks": (chunked(b"abc"), LOST),
    "chunks that are none": (chunked()[:-2] + b"\r\nabc\r\n", LOST),
    "gzip that is none": (answer(b"abc", "Content-Encoding: gzip"), LOST),
    "two lengths": (answer(b"abc", "Content-Length: 4"), LOST),
    "a length that is none": (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc", LOST),
    "a header without end": (answer(b"abc", "X-Long: " + "x" * 70_000), UNREADABLE),
    "another protocol": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: odd\r\n\r\nabc",
        LOST,
    ),
}


class Sends(RequestHandler):
    """Sends bytes in the place of an answer, and closes the connection."""

    async def get(self) -> None:
        stream = self.detach()
        if sent := self.settings["sent"]:
            await stream.write(sent)
        stream.close()


@pytest.mark.parametrize(("sent", "expected"), SENT.values(), ids=SENT)
def test_what_is_sent_is_what_the_visitor_has(sent: bytes, expected: tuple[int, Any]) -> None:
    f = watch(Application([("/", Sends)], sent=sent), ["/?user=ada", "/?user=grace"])
    assert f.answers == [expected] * 2
    assert [type(answer.body) for answer in f.answers] == [type(expected[1])] * 2
    # Drawn it can be, whatever came.
    assert f.lanes == ["ada", "grace"]


def test_a_visitor_of_a_websocket_is_told_that_it_is_one() -> None:
    f = watch(Application([("/", WebSocketHandler)]), ["/"])
    assert f.answers == [(400, 'Can "Upgrade" only to "WebSocket".')]
