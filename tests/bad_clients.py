"""Clients that misbehave in whatever way hypothesis thinks of, and a server that they meet.

    with serving(lambda: running(make_app())) as server:
        server.survives(visit, "/")  # in a test that is given visits(http_requests(["/"]))

A visit sends its pieces one by one. While it stands half open another client is served; then it
leaves, in one of several ways. Whatever it has sent, it gets an answer below 500, or the end of
its connection.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from hypothesis import strategies as st

from loopfilm.own_loop import OwnLoop

PATIENCE = 300.0  # seconds; what takes longer hangs
Leaves = Literal["half", "close", "reset"]


@dataclass(frozen=True)
class Visit:
    """What a client sends, in pieces, and how it leaves.

    It may close the half on which it sends and read on, close all without reading, or have the
    system say that the connection is broken.
    """

    pieces: Sequence[bytes]
    leaves: Leaves


def connect(url: str) -> socket.socket:
    """Connect to a server: "http://127.0.0.1:8888", or the same without "http"."""
    place = urlsplit(url if "//" in url else f"//{url}")
    connection = socket.create_connection((place.hostname, place.port), timeout=PATIENCE)
    # Otherwise the system may put two pieces together.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_to_the_end(connection: socket.socket) -> bytes:
    """Read until the server closes, or the connection breaks."""
    heard = b""
    try:
        while data := connection.recv(65536):
            heard += data
    except ConnectionError:
        pass
    return heard


def talk(url: str, visit: Visit, meanwhile: Callable[[], object] = lambda: None) -> bytes:
    """Pay a visit.

    Args:
        url: the server.
        visit: what is sent.
        meanwhile: what is done while the connection stands open and nothing more comes.

    Returns:
        What was heard, if the visit ends with reading.
    """
    with connect(url) as connection:
        try:
            for piece in visit.pieces:
                connection.sendall(piece)
        except ConnectionError:
            # A server may close as soon as it has seen enough.
            pass
        meanwhile()
        if visit.leaves == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if visit.leaves != "half":
            return b""
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        return read_to_the_end(connection)


def statuses(heard: bytes) -> list[int]:
    """Return the status of each HTTP answer in what was heard."""
    return [int(status) for status in re.findall(rb"(?:^|\n|\})HTTP/1\.[01] (\d{3})", heard)]


class Server:
    """A server that is visited.

    Attributes:
        url: where it listens.
        complaints: what it has logged as an error, or with a traceback, in this process.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.complaints: list[str] = []

    def ask(self, path: str = "/") -> int:
        """Be a client that behaves; return the status of the answer."""
        request = f"GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".encode()
        with connect(self.url) as connection:
            connection.sendall(request)
            [status, *_] = statuses(read_to_the_end(connection)) or [0]
            return status

    def survives(self, visit: Visit, path: str = "/") -> list[int]:
        """Pay a visit, during which and after which `path` is there for others.

        Returns:
            The statuses of what it was answered; each is below 500.
        """
        heard = talk(self.url, visit, lambda: self.serves(path))
        found = statuses(heard)
        assert all(status < 500 for status in found), (visit, heard)
        self.serves(path)
        assert not self.complaints, (visit, self.complaints)
        return found

    def serves(self, path: str) -> None:
        """Insist on that a client that behaves gets a 200."""
        assert (status := self.ask(path)) == 200, status


class _Complaints(logging.Handler):
    def __init__(self, found: list[str]) -> None:
        super().__init__()
        self.found = found

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR or record.exc_info:
            self.found.append(f"{record.name}: {record.getMessage()} {record.exc_info or ''}")


@contextmanager
def serving(start: Callable[[], AbstractAsyncContextManager[str]]) -> Iterator[Server]:
    """Run a server on a loop in a thread of its own.

    When the block ends, no task may be left of all that the visitors began, and it may have
    complained of nothing.

    Args:
        start: gives a context manager that runs the server and gives its address, such as
            `lambda: running(app)`.
    """
    ready, stop = threading.Event(), asyncio.Event()
    servers: list[Server] = []
    loops: list[asyncio.AbstractEventLoop] = []
    left: set[asyncio.Task[Any]] = set()

    async def serve() -> None:
        try:
            async with start() as url:
                loops.append(asyncio.get_running_loop())
                before = asyncio.all_tasks()
                servers.append(Server(url))
                ready.set()
                await stop.wait()
                # Those who have left are noticed in the next turns.
                for _ in range(1000):
                    left.clear()
                    left.update(asyncio.all_tasks() - before)
                    if not left:
                        break
                    await asyncio.sleep(0.01)
        finally:
            ready.set()

    with OwnLoop(serve) as own_loop:
        ready.wait(PATIENCE)
        if not servers:
            own_loop.outcome.result(PATIENCE)
        [server] = servers
        watching = _Complaints(server.complaints)
        logging.getLogger().addHandler(watching)
        try:
            yield server
            loops[0].call_soon_threadsafe(stop.set)
            own_loop.outcome.result(PATIENCE)
        finally:
            logging.getLogger().removeHandler(watching)
    assert not left, left
    assert not server.complaints, server.complaints


# -- what hypothesis thinks of -----------------------------------------------------------------

HUGE = 70_000  # bytes; more than Tornado takes for the headers of a request

VALUES = st.one_of(
    st.text(max_size=20).map(lambda text: quote(text, safe="")),
    st.sampled_from(["", "%", "%ff%fe", "%00", "%0d%0aX-Evil:%201", "é", "-1", "1e999", "nan"]),
    st.just("9" * 400),
    st.just("a" * HUGE),
)

METHODS = st.sampled_from(
    [b"GET"] * 6
    + [b"POST"] * 6
    + [b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH", b"get", b"N0 PE", b""]
)

VERSIONS = st.sampled_from([b"HTTP/1.1"] * 20 + [b"HTTP/1.0", b"HTTP/2.0", b"", b"ICY"])

HEADERS = st.sampled_from(
    [
        b"Host: here",
        b"Host: there",
        b"Connection: close",
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Version: 99",
        b"Sec-WebSocket-Key: short",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        b"Origin: http://elsewhere.example",
        b"Origin: null",
        b"Content-Length: -1",
        b"Content-Length: 5, 6",
        b"Content-Length: 1000000000000000000000",
        b"Content-Length: three",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Content-Type: application/json",
        b"Content-Type: application/x-www-form-urlencoded",
        b"Content-Type: multipart/form-data",
        b"Content-Type: multipart/form-data; boundary=",
        b"Content-Encoding: gzip",
        b"Cookie: " + b"a=" * 50,
        b'Cookie: session="2|1:0|10:1|7:session|4:eA==|00"',
        b"Cookie: \xff\xfe",
        b"Expect: 100-continue",
        b"Range: bytes=5-1",
        b"If-None-Match: *",
        b"no colon",
        b": no name",
        b" begins with a blank",
        b"Name : blank",
        b"X-Bytes: \xff\x00\x01",
        b"X-Huge: " + b"x" * HUGE,
    ]
)

BODIES = st.one_of(
    st.just(b""),
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"5\r\nhello\r\n0\r\n\r\n",
            b"fffffffffffffffffff\r\nhello",
            b"-5\r\nhello\r\n",
            b"name=ada&name=grace&text=%ff",
            b'{"name": "ada"',
            b"[" * 2000,
        ]
    ),
)


@st.composite
def http_requests(
    draw: st.DrawFn, paths: Sequence[str], arguments: Sequence[str] = ("name",)
) -> bytes:
    """Think of a request: almost right, wrong in one place, or in many.

    Args:
        draw: given by hypothesis.
        paths: where it goes, among other places.
        arguments: the names that the server knows, in the address and in a form; they are
            missing, there, or there more than once.
    """
    path = draw(st.sampled_from([*paths, *paths, "/nothing", "*", "//", "/%2e%2e/%ff"]))
    given = draw(st.lists(st.tuples(st.sampled_from([*arguments]), VALUES), max_size=3))
    form = "&".join(f"{name}={value}" for name, value in given).encode()
    in_the_body = draw(st.booleans())
    target = path.encode() + (b"?" + form if form and not in_the_body else b"")
    headers = [b"Host: here", *draw(st.lists(HEADERS, max_size=2))]
    body = form if in_the_body else draw(BODIES)
    if in_the_body:
        headers.append(b"Content-Type: application/x-www-form-urlencoded")
    if body and draw(st.integers(0, 3)):
        wrong_by = draw(st.sampled_from([0, 0, 0, 1, -1, 5]))
        headers.append(b"Content-Length: %d" % max(len(body) + wrong_by, 0))
    line = b" ".join([draw(METHODS), target, draw(VERSIONS)])
    return b"\r\n".join([line, *headers, b"", body])


@st.composite
def visits(draw: st.DrawFn, what: st.SearchStrategy[bytes]) -> Visit:
    """Think of a visit: what is sent is cut in pieces anywhere, and may end anywhere.

    Args:
        draw: given by hypothesis.
        what: thinks of what would be sent.
    """
    data = draw(what)
    if draw(st.integers(0, 3)) == 0:
        data = data[: draw(st.integers(0, len(data)))]
    cuts = sorted(draw(st.sets(st.integers(0, max(len(data), 1)), max_size=4)))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    leaves: Leaves = draw(st.sampled_from(["half", "half", "close", "reset"]))
    return Visit([piece for piece in pieces if piece], leaves)
