"""Upstreams that go wrong, each in its own way, on 127.0.0.1; tests use them too."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import requests
import trustme

from ._shared import LOCALHOST

CLIENT_TIMEOUT = 0.2  # seconds
STATUS_LINE = b"HTTP/1.1 200 OK\r\n"
CHUNKED_HEADERS = STATUS_LINE + b"Transfer-Encoding: chunked\r\n\r\n"
LENGTH_HEADERS = STATUS_LINE + b"Content-Length: 10\r\n\r\n"


@dataclass
class Fault:
    """An upstream that goes wrong, and what stock requests makes of it.

    Args:
        says: what it answers, piece by piece.
        then: what it does with the connection after that: "close", "reset" or "hang".
        error: the exception that requests raises, or None if it returns a response.
        pause: seconds between two pieces.
        options: what `requests.get` is called with, beside the address.
        https: whether the address begins with https.
        tls: whether the server speaks TLS, with a certificate that nobody trusts.
        url: the address, where there is no server.
        full: whether the server accepts no connection, since its backlog is full.
    """

    says: list[bytes] = field(default_factory=list)
    then: str = "close"
    error: type[Exception] | None = None
    pause: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)
    https: bool = False
    tls: bool = False
    url: str = ""
    full: bool = False


WITH_TIMEOUT = {"timeout": CLIENT_TIMEOUT}
FAULTS = {
    "reset before an answer": Fault(then="reset", error=requests.ConnectionError),
    "hangs up before an answer": Fault(error=requests.ConnectionError),
    "speaks another language": Fault([b"220 mail\r\n"], error=requests.ConnectionError),
    "half a chunk": Fault(
        [CHUNKED_HEADERS, b"a\r\nhalf"], error=requests.exceptions.ChunkedEncodingError
    ),
    "half a body": Fault(
        [LENGTH_HEADERS, b"half"], error=requests.exceptions.ChunkedEncodingError
    ),
    "reset in the body": Fault(
        [LENGTH_HEADERS, b"half"], "reset", requests.exceptions.ChunkedEncodingError
    ),
    "a wrong certificate": Fault(https=True, tls=True, error=requests.exceptions.SSLError),
    "no TLS at all": Fault([LENGTH_HEADERS], error=requests.exceptions.SSLError, https=True),
    "a name that nobody has": Fault(
        url="http://nobody.invalid/", error=requests.ConnectionError
    ),
    "a connection that hangs": Fault(
        full=True, options=WITH_TIMEOUT, error=requests.ConnectTimeout
    ),
    "an answer that hangs": Fault([], "hang", requests.ReadTimeout, options=WITH_TIMEOUT),
    "a header that hangs": Fault(
        [STATUS_LINE], "hang", requests.ReadTimeout, options=WITH_TIMEOUT
    ),
    "a body that hangs": Fault(
        [LENGTH_HEADERS, b"half"], "hang", requests.ConnectionError, options=WITH_TIMEOUT
    ),
    "a slow drip": Fault(
        [LENGTH_HEADERS, *[b"."] * 10], pause=CLIENT_TIMEOUT / 8, options=WITH_TIMEOUT
    ),
}


@contextlib.asynccontextmanager
async def upstream(fault: Fault) -> AsyncIterator[str]:
    """Run an upstream on the current loop.

    Yields:
        Its address.
    """
    if fault.url:
        yield fault.url
    elif fault.full:
        with full_house() as address:
            yield address
    else:
        context = None
        if fault.tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            trustme.CA().issue_cert(LOCALHOST).configure_cert(context)
        talking = set[asyncio.Task[None]]()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task
            talking.add(task)
            with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
                await answer(fault, reader, writer)
            writer.transport.abort()

        server = await asyncio.start_server(talk, LOCALHOST, 0, ssl=context, backlog=256)
        try:
            port = server.sockets[0].getsockname()[1]
            yield f"http{'s' * fault.https}://{LOCALHOST}:{port}/"
        finally:
            server.close()
            for task in talking:
                task.cancel()
            await asyncio.gather(*talking, return_exceptions=True)


async def answer(
    fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer one request, and go wrong."""
    if fault.https and not fault.tls:
        # What comes is the beginning of a TLS handshake, and no request.
        await reader.read(1)
    else:
        await reader.readuntil(b"\r\n\r\n")
    for piece in fault.says:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(fault.pause)
    if fault.then == "hang":
        await reader.read()
    elif fault.then == "reset":
        # With SO_LINGER on, and for no seconds, a close sends a reset.
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    else:
        writer.close()
        await writer.wait_closed()


@contextlib.contextmanager
def full_house() -> Iterator[str]:
    """Open an address whose backlog is full, and from which nothing is ever accepted."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind((LOCALHOST, 0))
        server.listen(0)
        # How many fit into the shortest backlog differs from system to system.
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield f"http://{LOCALHOST}:{server.getsockname()[1]}/"


def ask(url: str, options: dict[str, Any]) -> Exception | None:
    """Make a request, and return the exception, or None if there was a response."""
    try:
        requests.get(url, **{"timeout": 20, **options}).raise_for_status()
    except Exception as error:
        return error
    return None
