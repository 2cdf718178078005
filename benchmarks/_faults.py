"""Upstreams that go wrong, each in its own way, on 127.0.0.1."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import requests
import trustme

HERE = "127.0.0.1"
WAITS = 0.2  # seconds, the patience of those who ask
GREETING = b"HTTP/1.1 200 OK\r\n"
CHUNKS = GREETING + b"Transfer-Encoding: chunked\r\n\r\n"
LENGTH = GREETING + b"Content-Length: 10\r\n\r\n"


@dataclass
class Fault:
    """An upstream that goes wrong, and what stock requests makes of it.

    Args:
        says: what it answers, piece by piece.
        then: how it ends: "close", "reset" or "hang".
        error: the exception, or None if the answer is good all the same.
        pause: seconds between two pieces.
        options: how it is asked.
        tls: whether it has a certificate, which nobody trusts.
        url: its address, if there is no server at all.
        full: whether it lets nobody in.
    """

    says: list[bytes] = field(default_factory=list)
    then: str = "close"
    error: type[Exception] | None = None
    pause: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)
    tls: bool = False
    url: str = ""
    full: bool = False


HANGS = {"timeout": WAITS}
FAULTS = {
    "reset before an answer": Fault(then="reset", error=requests.ConnectionError),
    "hangs up before an answer": Fault(error=requests.ConnectionError),
    "speaks another language": Fault([b"220 mail\r\n"], error=requests.ConnectionError),
    "half a chunk": Fault(
        [CHUNKS, b"a\r\nhalf"], error=requests.exceptions.ChunkedEncodingError
    ),
    "half a body": Fault([LENGTH, b"half"], error=requests.exceptions.ChunkedEncodingError),
    "reset in the body": Fault(
        [LENGTH, b"half"], "reset", requests.exceptions.ChunkedEncodingError
    ),
    "a wrong certificate": Fault(tls=True, error=requests.exceptions.SSLError),
    "no TLS at all": Fault([LENGTH], error=requests.exceptions.SSLError, url="https"),
    "a name that nobody has": Fault(
        url="http://nobody.invalid/", error=requests.ConnectionError
    ),
    "a connection that hangs": Fault(full=True, options=HANGS, error=requests.ConnectTimeout),
    "an answer that hangs": Fault([], "hang", requests.ReadTimeout, options=HANGS),
    "a header that hangs": Fault([GREETING], "hang", requests.ReadTimeout, options=HANGS),
    "a body that hangs": Fault(
        [LENGTH, b"half"], "hang", requests.ConnectionError, options=HANGS
    ),
    "a slow drip": Fault([LENGTH, *[b"."] * 10], pause=WAITS / 8, options=HANGS),
}


@contextlib.asynccontextmanager
async def upstream(fault: Fault) -> AsyncIterator[str]:
    """Run an upstream on the current loop, and give its address."""
    if fault.url.startswith("http:"):
        yield fault.url
    elif fault.full:
        with full_house() as address:
            yield address
    else:
        context = None
        if fault.tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            trustme.CA().issue_cert(HERE).configure_cert(context)
        talking = set[asyncio.Task[None]]()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task
            talking.add(task)
            with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
                await answer(fault, reader, writer)
            writer.transport.abort()

        server = await asyncio.start_server(talk, HERE, 0, ssl=context, backlog=256)
        try:
            port = server.sockets[0].getsockname()[1]
            yield f"http{'s' * bool(fault.tls or fault.url)}://{HERE}:{port}/"
        finally:
            server.close()
            for task in talking:
                task.cancel()
            await asyncio.gather(*talking, return_exceptions=True)


async def answer(
    fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer one request, and go wrong."""
    if fault.url:
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
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    else:
        writer.close()
        await writer.wait_closed()


@contextlib.contextmanager
def full_house() -> Any:
    """Give an address that lets nobody in: its queue is full, and nobody is taken from it."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind((HERE, 0))
        server.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield f"http://{HERE}:{server.getsockname()[1]}/"


def ask(url: str, options: dict[str, Any]) -> Exception | None:
    """Ask with requests, and return what went wrong."""
    try:
        requests.get(url, **{"timeout": 20, **options}).raise_for_status()
    except Exception as error:
        return error
    return None


Ask = Callable[[str, dict[str, Any]], Exception | None]
