"""What a backend may answer, byte by byte, and what the one who asked the service is told.

Each table has answers of one kind by name. `bad_backend` gives the one whose name the user has.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit
from weakref import WeakSet

from loopfilm.own_loop import OwnLoop

THINGS = ("profile", "friends", "messages")
OK = "HTTP/1.1 200 OK"


# What the one who asked is told: a status, and a sentence or the answer.
Told = tuple[int, Any]
MISUNDERSTOOD: Told = (502, "The backend did not answer in the JSON that was agreed.")
UNREACHED: Told = (
    502,
    "The backend could not be reached, hung up, or sent what could not be read.",
)
LATE: Told = (504, "The backend did not answer in time.")


class Says(NamedTuple):
    """What a backend sends when it is asked, and what it does then.

    Attributes:
        data: what it sends.
        then: "close" or "reset" the connection, "keep" it and say no more, or send `again`,
            until the one who asked has gone.
        pause: seconds between one `again` and the next.
    """

    data: bytes
    then: str = "close"
    again: bytes = b""
    pause: float = 0.0


def as_bytes(text: str | bytes) -> bytes:
    return text.encode("latin-1") if isinstance(text, str) else text


def lines(*head: str | bytes, body: str | bytes = "", then: str = "close") -> Says:
    """Say these lines, an empty line, and a body."""
    return Says(b"\r\n".join(as_bytes(x) for x in (*head, "", body)), then)


def about(value: str) -> str:
    """Return the JSON that was agreed, with this for each thing."""
    return "{" + ", ".join(f'"{thing}": {value}' for thing in THINGS) + "}"


RIGHT = about("1")
TOLD: Told = (200, 1)
LENGTH = f"Content-Length: {len(RIGHT)}"
CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = f"{len(RIGHT):x}\r\n{RIGHT}\r\n0\r\n\r\n"


def says(body: str | bytes, *fields: str) -> Says:
    """Answer with this body."""
    body = body.encode() if isinstance(body, str) else body
    return lines(OK, f"Content-Length: {len(body)}", *fields, body=body)


def head(*fields: str | bytes) -> Says:
    """Answer what is right, after these fields."""
    return lines(OK, *fields, body=RIGHT)


def status(line: str, *fields: str | bytes) -> Says:
    """Answer what would be right, with another status."""
    return lines(f"HTTP/1.1 {line}", *fields, body=RIGHT)


def chunks(body: str, *fields: str) -> Says:
    """Answer in chunks, or what is said to be chunks."""
    return lines(OK, CHUNKED, *fields, body=body)


# What HTTP allows: 200, and 1 for each thing.
RIGHT_ANSWERS = {
    "what was agreed": says(RIGHT),
    "a connection that is kept": lines(OK, LENGTH, body=RIGHT, then="keep"),
    **{f"HTTP/1.{digit}": lines(f"HTTP/1.{digit} 200 OK", body=RIGHT) for digit in range(10)},
    "no header": head(),
    "no reason": status("200 "),
    "another reason": status("200 Not Found"),
    "a reason of bytes": status("200 \xff\xfe"),
    "201": status("201 Created"),
    "203": status("203 Non-Authoritative Information"),
    "206": status("206 Partial Content"),
    "100 before it": Says(b"HTTP/1.1 100 Continue\r\n\r\n" + head().data),
    "line feeds": Says(f"{OK}\nA: b\n\n{RIGHT}".encode()),
    "another content type": head("Content-Type: text/html"),
    "an unknown charset": head("Content-Type: application/json; charset=klingon"),
    "an untrue charset": head("Content-Type: application/json; charset=utf-16"),
    "a cookie": head("Set-Cookie: a=b; Path=/"),
    "an odd cookie": head("Set-Cookie: =;;; Domain=.;\t Expires=never", "Set-Cookie: "),
    "a location": head("Location: http://["),
    "a wish for a password": head('WWW-Authenticate: Basic realm="x"'),
    "a field of bytes": head("A: \xff\xfe"),
    "a field of 8,000 bytes": head(f"A: {'x' * 8000}"),
    "90 fields": head(*(f"A{n}: x" for n in range(90))),
    "its length twice": head(LENGTH, LENGTH),
    "its length and white space": head(f"{LENGTH} \t"),
    "its length twice in one": head(f"{LENGTH}, {len(RIGHT)}"),
    "two answers": Says(says(RIGHT).data * 2),
    "chunks": chunks(f"5\r\n{RIGHT[:5]}\r\n{len(RIGHT) - 5:X}\r\n{RIGHT[5:]}\r\n0\r\n\r\n"),
    "chunks after 00": chunks("00" + CHUNKS),
    "chunks by another case": lines(OK, "transfer-encoding: CHUNKED", body=CHUNKS),
    "gzip, not so": head("Content-Encoding: gzip"),
    "deflate, not so": head("Content-Encoding: deflate"),
    "br, not so": head("Content-Encoding: br"),
    "identity": head("Content-Encoding: identity"),
    "white space": says(f" \r\n\t{RIGHT} \n"),
    "a key twice": says('{"profile": 0, ' + RIGHT[1:]),
    "more than was asked": says('{"x": null, "": [], ' + RIGHT[1:]),
}

# 200, and this for each thing.
VALUES: dict[str, tuple[Says, Any]] = {
    "null": (says(about("null")), None),
    "a list": (says(about("[1, [2, {}]]")), [1, [2, {}]]),
    "an object": (says(about('{"a": {}}')), {"a": {}}),
    "not ASCII": (says(about('"王小波"')), "王小波"),
    "nul": (says(about('"\\u0000"')), "\0"),
    "half of a surrogate pair": (says(about('"\\ud800"')), "\ud800"),
    "4,000 digits": (says(about("9" * 4000)), int("9" * 4000)),
    "1e-400": (says(about("1e-400")), 0.0),
    "-0.0": (says(about("-0.0")), -0.0),
    "90 lists in each other": (
        says(about("[" * 90 + "]" * 90)),
        json.loads("[" * 90 + "]" * 90),
    ),
}

# 502, and this status in the sentence.
OTHER_STATUS = {
    **{
        f"{code}": (status(f"{code} Whatever"), code)
        for code in (
            *(300, 301, 302, 303, 304, 305, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407),
            *(408, 409, 410, 413, 414, 415, 416, 417, 418, 421, 425, 426, 428, 429, 431, 451),
            *(499, 500, 501, 502, 503, 504, 505, 507, 511, 599, 600, 700, 999),
        )
    },
    **{
        f"{code} to {where[:40]!r}": (status(f"{code} Found", f"Location: {where}"), code)
        for code in (301, 302, 303, 307, 308)
        for where in ("", "/", "/friends?user=500")
    },
    **{
        f"302 to {where[:40]!r}": (status("302 Found", f"Location: {where}"), 302)
        for where in (
            *("?", "#", "//", "http:", "http:///a", "http://[", "http://a..b/", "http://a b/"),
            *("http://127.0.0.1:99999/", "http://127.0.0.1:x/", "http://127.0.0.1:1/"),
            *("http://a:b@127.0.0.1:1/", "ftp://127.0.0.1/", "file:///etc/passwd", "mailto:a"),
            *("javascript:1", "http://ä/", "/\xff", f"http://{'a' * 300}", "b" * 60_000),
        )
    },
    "302 to two": (status("302 Found", "Location: /a", "Location: /b"), 302),
    "300 with a location": (status("300 Choose", "Location: /"), 300),
    "304 with a length": (lines("HTTP/1.1 304 No", "Content-Length: 5"), 304),
    "305 to a proxy": (status("305 Use Proxy", "Location: http://127.0.0.1:1/"), 305),
    "401, basic": (status("401 No", 'WWW-Authenticate: Basic realm="x"'), 401),
    "401, digest": (status("401 No", 'WWW-Authenticate: Digest realm="x", nonce="y"'), 401),
    "407, basic": (status("407 No", 'Proxy-Authenticate: Basic realm="x"'), 407),
    "429, later": (status("429 Later", "Retry-After: 3600"), 429),
    "503, later": (status("503 Later", "Retry-After: 0"), 503),
    "500 without a body": (lines("HTTP/1.1 500 No"), 500),
    "500 in bytes": (lines("HTTP/1.1 500 No", body="\xff\xfe"), 500),
    "500 in gzip": (lines("HTTP/1.1 500 No", "Content-Encoding: gzip", body="x"), 500),
}

# 502: something was answered, and it is not the JSON that was agreed.
NOT_UNDERSTOOD = {
    "nothing": says(""),
    "nothing, and no length": lines(OK),
    "nothing of the body": head("Content-Length: 0"),
    "a part of the body": head("Content-Length: 5"),
    "204": lines("HTTP/1.1 204 No Content"),
    "204 with a body": status("204 No Content"),
    "205": lines("HTTP/1.1 205 Reset Content", "Content-Length: 0"),
    "text": says("hello"),
    "a page": says("<html></html>", "Content-Type: text/html"),
    "parts": says("--x\r\n\r\n{}\r\n--x--", "Content-Type: multipart/mixed; boundary=x"),
    "half of it": says(RIGHT[:20]),
    "something before it": says(")]}'\n" + RIGHT),
    "something after it": says(RIGHT + "x"),
    "it, twice": says(RIGHT + "\n" + RIGHT),
    "a comment": says(RIGHT + "// hello"),
    "a comma at the end": says(RIGHT[:-1] + ",}"),
    "single quotes": says(RIGHT.replace('"', "'")),
    "a line feed in a string": says(about('"\n"')),
    "a nul in a string": says(about('"\0"')),
    "invalid UTF-8": says(about('"?"').encode().replace(b"?", b"\xff\xfe")),
    "half of a surrogate pair in UTF-8": says(
        about('"?"').encode().replace(b"?", b"\xed\xa0\x80")
    ),
    "nul in two bytes": says(about('"?"').encode().replace(b"?", b"\xc0\x80")),
    "Latin-1": says(about('"é"').encode("latin-1"), "Content-Type: a/json; charset=latin-1"),
    "a byte order mark": says(RIGHT.encode("utf-8-sig")),
    "UTF-16": says(RIGHT.encode("utf-16")),
    "UTF-16, it says so": says(RIGHT.encode("utf-16"), "Content-Type: a/json; charset=utf-16"),
    "UTF-16 without a mark": says(RIGHT.encode("utf-16-le")),
    "UTF-32": says(RIGHT.encode("utf-32")),
    "a list instead": says("[" + RIGHT + "]"),
    "null instead": says("null"),
    "true instead": says("true"),
    "a string instead": says('"profile friends messages"'),
    "a number instead": says("42"),
    "an empty object": says("{}"),
    "something else": says('{"shoes": 1}'),
    "another case": says(RIGHT.title()),
    "NaN": says(about("NaN")),
    "Infinity": says(about("Infinity")),
    "-Infinity, inside": says(about("[-Infinity]")),
    "NaN elsewhere": says('{"x": NaN, ' + RIGHT[1:]),
    "1e400": says(about("1e400")),
    "-1e400": says(about("-1e400")),
    "10,000 digits": says(about("9" * 10_000)),
    "10,000 digits and a point": says(about("9" * 10_000 + ".0")),
    **{
        f"{depth:,} {name} in each other": says(about(opening * depth + "1" + closing * depth))
        for depth in (110, 300, 900, 950, 980, 100_000)
        for name, opening, closing in (("lists", "[", "]"), ("objects", '{"a":', "}"))
    },
    "gzip": says(gzip.compress(RIGHT.encode()), "Content-Encoding: gzip"),
    "half of a gzip": says(gzip.compress(RIGHT.encode())[:20], "Content-Encoding: gzip"),
    "gzip in gzip": says(
        gzip.compress(gzip.compress(RIGHT.encode())), "Content-Encoding: gzip, gzip"
    ),
    "deflate": says(zlib.compress(RIGHT.encode()), "Content-Encoding: deflate"),
}

LARGE = 10_000_001
# 502: nothing came, or a part of an answer, or no HTTP.
NO_ANSWER = {
    "nothing at all": Says(b""),
    "a reset": Says(b"", "reset"),
    "a reset in the header": Says(OK.encode(), "reset"),
    "a reset in the body": lines(OK, "Content-Length: 100", body="{", then="reset"),
    "a reset in a chunk": lines(OK, CHUNKED, body="F\r\n{", then="reset"),
    "half of a status line": Says(b"HTTP/1."),
    "HTTP/0.9": Says(RIGHT.encode()),
    "a page of HTTP/0.9": Says(b"<html></html>\r\n\r\n"),
    **{
        f"HTTP{version}": lines(f"HTTP{version} 200 OK", body=RIGHT)
        for version in ("", "/", "/1", "/01.1", "/2", "/2.0", "/11.1", "S/1.1")
    },
    "the first frame of HTTP/2": Says(bytes.fromhex("000012040000000000000300000080")),
    "a small http/1.1": lines("http/1.1 200 OK", body=RIGHT),
    "ICY": lines("ICY 200 OK", body=RIGHT),
    "TLS": Says(bytes.fromhex("15030100020246")),
    "SSH": Says(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "a request": Says(b"GET / HTTP/1.1\r\n\r\n"),
    "empty lines first": Says(b"\r\n\r\n" + head().data),
    "a status in words": lines("HTTP/1.1 OK", body=RIGHT),
    "a status in words, of three letters": status("two OK"),
    **{
        f"status {code}": status(f"{code} OK")
        for code in ("20", "2000", "-200", "+20", "000", "099")
    },
    "status 2 and a half": status("2.0 OK"),
    "a reason of 70,000 bytes": status("200 " + "x" * 70_000),
    "a space before the colon": head("A : b"),
    "a space before a field": head(" A: b"),
    "no colon": head("Nonsense"),
    "no colon in a later field": head("A: b", "Nonsense", "C: d"),
    "no name": head(": b"),
    "a name in brackets": head("(A): b"),
    "a name of bytes": head("\xff: b"),
    "a control character in a field": head("A: \x01"),
    "nul in a field": head("A: \0"),
    "a carriage return in a field": head("A: b\rc"),
    "200 fields": head(*(f"A{n}: x" for n in range(200))),
    "a field of 70,000 bytes": head(f"A: {'x' * 70_000}"),
    "ten fields of 60,000 bytes": head(*[f"A: {'x' * 60_000}"] * 10),
    "a header that does not end": Says(OK.encode(), "again", b"\r\nA: b" * 1000),
    **{
        f"a length of {length[:10]!r}": head(f"Content-Length: {length}")
        for length in (
            "",
            "twelve",
            "-1",
            "+43",
            "4_3",
            "0x2b",
            "43.0",
            "43;",
            "1, x",
            "9" * 5000,
        )
    },
    "two lengths": head(LENGTH, "Content-Length: 5"),
    "two lengths in one": head(f"{LENGTH}, 5"),
    "a length and chunks": chunks(CHUNKS, f"Content-Length: {len(CHUNKS)}"),
    "a length that is too long": head("Content-Length: 100"),
    "a length of twenty digits": head("Content-Length: 99999999999999999999"),
    "204 with a length": status("204 No Content", LENGTH),
    "204 in chunks": lines("HTTP/1.1 204 No Content", CHUNKED, body=CHUNKS),
    **{
        f"encoded as {encoding!r}": lines(OK, f"Transfer-Encoding: {encoding}", body=CHUNKS)
        for encoding in (
            "",
            "gzip",
            "identity",
            "gzip, chunked",
            "chunked, chunked",
            "chunkedx",
        )
    },
    "encoded twice as chunks": chunks(CHUNKS, CHUNKED),
    "no chunks": chunks(RIGHT),
    "a chunk without a size": chunks(f"\r\n{RIGHT}\r\n0\r\n\r\n"),
    "a chunk of size -1": chunks(f"-1\r\n{RIGHT}\r\n0\r\n\r\n"),
    "a chunk of size g": chunks(f"g\r\n{RIGHT}\r\n0\r\n\r\n"),
    "a chunk that is too short": chunks(f"ff\r\n{RIGHT}\r\n0\r\n\r\n"),
    "a huge chunk": chunks(f"{'f' * 20}\r\n{RIGHT}\r\n0\r\n\r\n"),
    "half of a chunk": chunks(CHUNKS[:20]),
    "chunks without the last": chunks(CHUNKS[:-5]),
    "101": lines("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket"),
    "100, and no more": lines("HTTP/1.1 100 Continue"),
    "103, and no more": lines("HTTP/1.1 103 Early Hints", "Link: </a>"),
    "100 with a length": lines("HTTP/1.1 100 Continue", LENGTH, body=RIGHT),
    "half of a 500": lines("HTTP/1.1 500 No", "Content-Length: 100", body="{"),
    "a 500 without chunks": lines("HTTP/1.1 500 No", CHUNKED, body="{}"),
    "a 500 that is reset": lines("HTTP/1.1 500 No", "Content-Length: 100", then="reset"),
    "half of a 302": lines("HTTP/1.1 302 Go", "Location: /", "Content-Length: 100", body="{"),
    "too much, it says": head(f"Content-Length: {LARGE}"),
    "white space that is too much": says(RIGHT + " " * LARGE),
    "white space that is too much, in chunks": chunks(
        f"{LARGE:x}\r\n{' ' * LARGE}\r\n{CHUNKS}"
    ),
    "too much": lines(OK)._replace(then="again", again=b" " * 65536),
    "too many chunks": chunks("")._replace(
        then="again", again=b"10000\r\n" + b" " * 65536 + b"\r\n"
    ),
}

# 504: it does not end.
TOO_LATE = {
    "nothing": Says(b"", "keep"),
    "a status line": Says(f"{OK}\r\n".encode(), "keep"),
    "half of a header": Says(f"{OK}\r\nA: b\r\n".encode(), "keep"),
    "a body to come": lines(OK, LENGTH, then="keep"),
    "half of a body": lines(OK, LENGTH, body=RIGHT[:5], then="keep"),
    "a body without an end": head()._replace(then="keep"),
    "a chunk to come": chunks("")._replace(then="keep"),
    "half of a chunk": chunks(CHUNKS[:10])._replace(then="keep"),
    "a last chunk to come": chunks(CHUNKS[:-5])._replace(then="keep"),
    "100": lines("HTTP/1.1 100 Continue", then="keep"),
    "500, and a body to come": lines("HTTP/1.1 500 No", "Content-Length: 9", then="keep"),
    "302, and a body to come": lines("HTTP/1.1 302 No", "Content-Length: 9", then="keep"),
    **{
        f"drops of {what}": Says(before, "again", drop, 0.01)
        for what, before, drop in (
            ("a body", lines(OK, "Content-Length: 100000").data, b" "),
            ("a body without a length", lines(OK).data, b" "),
            ("chunks", chunks("").data, b"1\r\n \r\n"),
            ("a chunk", chunks("FFFF\r\n").data, b" "),
            ("a 500", lines("HTTP/1.1 500 No").data, b" "),
        )
    },
}
# The same, but a thread that blocks never hears of it: to requests each drop of a header is
# news, and it tells nobody before all of it is there. To end that, the connection itself would
# have to look at the clock, and `requests.get` takes nothing that reaches it.
NEVER_TOO_LATE_FOR_BLOCKING = {
    "drops of a status line": Says(b"HTTP/1.1 200 ", "again", b"x", 0.01),
    "drops of a header": Says(f"{OK}\r\nA: ".encode(), "again", b"x", 0.01),
    # Tornado takes 64 of them, so they come slowly.
    "drops of the size of a chunk": Says(chunks("").data, "again", b"0", 0.2),
    # And ten of these.
    "one 100 after the other": Says(b"", "again", b"HTTP/1.1 100 Go on\r\n\r\n", 0.2),
}


HTTP_SPLITS = "http.client splits at any white space, and looks at a part of the version"
HTTP_FINAL = "http.client takes each status from 101 on for the last one"
HTTP_PATIENT = "http.client skips any number of 100, and no empty line"
HTTP_CUT = "http.client takes the end of a connection for the end of a header"
HTTP_CHUNKS = (
    "http.client reads the size of a chunk as Python reads a number, and looks at no end"
)
HTTP_FOLDS = "http.client takes a field that goes on in the next line, as was once allowed"
HTTP_BLANK = "http.client looks at the encoding with the space behind it"
HTTP_MAIL = "http.client reads a header as if it were a mail in a mailbox"
TORNADO_CHUNKS = (
    "Tornado refuses what HTTP allows beside the size of a chunk, and after the last"
)


class Differs(NamedTuple):
    """An answer that http.client, underneath requests, reads in another way than Tornado."""

    answer: Says
    by_requests: Told
    by_tornado: Told
    reason: str


# Only the library itself could make these alike: when it returns an answer, it has forgotten
# what was odd about it. Each of the two sentences is true, so nobody is misled: what is told as
# an answer is all that the backend said of the thing; what could not be read was not read, by
# this client; and where a header breaks off there was no JSON.
DIFFERENT = {
    "no space after the status": Differs(status("200"), TOLD, UNREACHED, HTTP_SPLITS),
    "two spaces": Differs(status(" 200  OK"), TOLD, UNREACHED, HTTP_SPLITS),
    "tabs": Differs(status("\t200\tOK"), TOLD, UNREACHED, HTTP_SPLITS),
    **{
        f"HTTP/{version}": Differs(
            lines(f"HTTP/{version} 200 OK", body=RIGHT), TOLD, UNREACHED, HTTP_SPLITS
        )
        for version in ("1.00", "1.10", "1.12")
    },
    **{
        f"{code} before it": Differs(
            Says(f"HTTP/1.1 {code} Wait\r\n\r\n".encode() + head().data),
            UNREACHED,
            TOLD,
            HTTP_FINAL,
        )
        for code in (102, 103)
    },
    "twenty 100 before it": Differs(
        Says(b"HTTP/1.1 100 Continue\r\n\r\n" * 20 + head().data), TOLD, UNREACHED, HTTP_PATIENT
    ),
    "an empty line first": Differs(Says(b"\r\n" + head().data), UNREACHED, TOLD, HTTP_PATIENT),
    **{
        f"half of a header, {half!r}": Differs(
            Says(f"{OK}\r\n{half}".encode()), MISUNDERSTOOD, UNREACHED, HTTP_CUT
        )
        for half in ("", "A: b\r\n", "A: ", "A: b\r\r")
    },
    "a reason with a zero byte": Differs(status("200 O\0K"), TOLD, UNREACHED, HTTP_SPLITS),
    "a space before the version": Differs(
        lines(f" {OK}", body=RIGHT), TOLD, UNREACHED, HTTP_SPLITS
    ),
    "a folded field": Differs(head("A: b\r\n folded"), TOLD, UNREACHED, HTTP_FOLDS),
    "a space behind the encoding": Differs(
        lines(OK, f"{CHUNKED} ", body=CHUNKS), UNREACHED, TOLD, HTTP_BLANK
    ),
    "a field that begins with From": Differs(head("From b: c"), TOLD, UNREACHED, HTTP_MAIL),
    **{
        f"a chunk of size {size!r}": Differs(
            chunks(size + CHUNKS), TOLD, UNREACHED, HTTP_CHUNKS
        )
        for size in ("0_", "0x", "+", " ")
    },
    "a chunk without its end": Differs(
        chunks(CHUNKS.replace("}\r\n", "}xx")), TOLD, UNREACHED, HTTP_CHUNKS
    ),
    "chunks without the last line": Differs(
        chunks(CHUNKS.removesuffix("\r\n")), TOLD, UNREACHED, HTTP_CHUNKS
    ),
    "a chunk with an extension": Differs(
        chunks(CHUNKS.replace("\r\n", ";a=b\r\n", 1)), TOLD, UNREACHED, TORNADO_CHUNKS
    ),
    "chunks with a trailer": Differs(
        chunks(CHUNKS.removesuffix("\r\n") + "A: b\r\n\r\n"), TOLD, UNREACHED, TORNADO_CHUNKS
    ),
}


@contextmanager
def bad_backend(answers: dict[str, Says]) -> Iterator[str]:
    """Run a backend, on a loop of its own, that answers what has the name of the user."""
    started: Future[str] = Future()
    writers: WeakSet[asyncio.StreamWriter] = WeakSet()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            (user,) = parse_qs(urlsplit(request.split()[1].decode()).query)["user"]
            data, then, again, pause = answers[user]
            writer.write(data)
            await writer.drain()
            while then == "again":
                writer.write(again)
                await writer.drain()
                await asyncio.sleep(pause)
            if then == "keep":
                await reader.read()
            if then == "reset":
                at_once = struct.pack("ii", 1, 0)
                connection = writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        except (OSError, EOFError, asyncio.CancelledError):
            # The one who asked has gone, or all is over; asyncio would log a cancellation.
            pass
        finally:
            writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        started.set_result(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            # A connection that still has something to send would be left open.
            for writer in list(writers):
                writer.transport.abort()
            await asyncio.sleep(0)

    with OwnLoop(serve) as own_loop:
        either: list[Future[Any]] = [started, own_loop.outcome]
        wait(either, return_when=FIRST_COMPLETED)
        yield started.result()
