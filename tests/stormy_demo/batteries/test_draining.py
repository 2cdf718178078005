"""A server that drains lets nobody in, answers what is under way, and waits not for ever."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler, websocket_connect

from loopfilm import handlers_at_work
from stormy_demo.batteries.draining import serve_until
from tests.stormy_demo.batteries.test_chat import HANDSHAKE

pytestmark = pytest.mark.usefixtures("no_noise")


class Server:
    """A server on this loop.

    Attributes:
        stop: set, it drains.
        go: what its slow requests wait for.
        begun: how many of them have begun.
        woken: how often it has woken those who wait.
    """

    def __init__(self, patience: float) -> None:
        self.stop, self.go = asyncio.Event(), asyncio.Event()
        self.begun = self.woken = 0
        sockets = bind_sockets(0, "127.0.0.1")
        self.place = sockets[0].getsockname()[:2]
        settings = {"server": self}
        self.app = Application(
            [
                (r"/", Quick),
                (r"/slow", Slow, settings),
                (r"/socket", WebSocketHandler),
                (r"/slow-socket", SlowSocket, settings),
            ]
        )
        self.serving = asyncio.create_task(
            serve_until(
                self.stop, self.app, sockets, before_the_wait=self.wake, patience=patience
            )
        )

    def wake(self) -> None:
        self.woken += 1

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self.place)

    async def asked(
        self, path: str, more: str = ""
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await self.connect()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n{more}".encode())
        return reader, writer

    async def slow(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Ask, and wait until the answer has begun."""
        before = self.begun
        found = await self.asked("/slow")
        while self.begun == before:
            await asyncio.sleep(0)
        return found

    async def is_closed_to_others(self) -> bool:
        with suppress(ConnectionError):
            _, writer = await self.connect()
            writer.close()
            return False
        return True


class Quick(RequestHandler):
    def get(self) -> None:
        self.write("quick")

    def post(self) -> None:
        self.write(f"{len(self.request.body)} bytes")


class Slow(RequestHandler):
    def initialize(self, server: Server) -> None:
        self.server = server

    async def get(self) -> None:
        self.server.begun += 1
        await self.server.go.wait()
        self.write("answered")


class SlowSocket(WebSocketHandler):
    def initialize(self, server: Server) -> None:
        self.server = server

    async def prepare(self) -> None:
        self.server.begun += 1
        await self.server.go.wait()


@asynccontextmanager
async def server(patience: float = 500) -> AsyncIterator[Server]:
    found = Server(patience)
    try:
        yield found
    finally:
        found.stop.set()
        found.go.set()
        await found.serving


async def rest(reader: asyncio.StreamReader) -> bytes:
    with suppress(ConnectionError):
        return await reader.read()
    return b""


async def test_what_is_under_way_is_answered_and_nobody_new_is_let_in() -> None:
    async with server() as s:
        reader, writer = await s.slow()
        s.stop.set()
        while not await s.is_closed_to_others():
            pass
        assert not s.serving.done()
        s.go.set()
        assert (await rest(reader)).endswith(b"answered")
        writer.close()


async def test_what_has_arrived_and_was_not_read_yet_is_answered() -> None:
    async with server() as s:
        with socket.create_connection(s.place) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            # The loop has had no turn since.
            s.stop.set()
            await s.serving
            heard = b"".join(iter(lambda: connection.recv(1000), b""))
        assert heard.endswith(b"quick")


async def test_an_upload_that_has_begun_is_under_way() -> None:
    async with server() as s:
        reader, writer = await s.connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\nhello")
        s.stop.set()
        while not await s.is_closed_to_others():
            pass
        assert not s.serving.done()
        writer.write(b"there")
        assert (await rest(reader)).endswith(b"10 bytes")
        writer.close()


async def test_a_connection_on_which_nothing_is_asked_is_closed() -> None:
    async with server() as s:
        reader, writer = await s.asked("/")
        assert (await reader.readuntil(b"quick")).startswith(b"HTTP/1.1 200")
        other, half = await s.connect()
        half.write(b"GET / HT")
        s.stop.set()
        assert await rest(reader) == b""
        assert await rest(other) == b""
        await s.serving
        writer.close()
        half.close()


async def test_a_second_request_is_not_begun() -> None:
    async with server() as s:
        reader, writer = await s.slow()
        writer.write(b"GET /slow HTTP/1.1\r\nHost: here\r\n\r\n")
        s.stop.set()
        while not s.woken:
            await asyncio.sleep(0)
        s.go.set()
        assert (await rest(reader)).count(b"HTTP/1.1") == 1
        assert s.begun == 1
        writer.close()


async def test_a_websocket_is_told_why_it_is_closed() -> None:
    async with server() as s:
        connection = await websocket_connect("ws://{}:{}/socket".format(*s.place))
        s.stop.set()
        assert await connection.read_message() is None
        assert (connection.close_code, connection.close_reason) == (1001, "the server ends")
        connection.close()
        await s.serving


async def test_a_websocket_that_was_about_to_open_is_told_too() -> None:
    async with server() as s:
        opening = asyncio.ensure_future(
            websocket_connect("ws://{}:{}/slow-socket".format(*s.place))
        )
        while not s.begun:
            await asyncio.sleep(0)
        s.stop.set()
        while not s.woken:
            await asyncio.sleep(0)
        s.go.set()
        connection = await opening
        assert await connection.read_message() is None
        assert connection.close_code == 1001
        connection.close()
        await s.serving


async def test_a_websocket_whose_client_does_not_answer_is_cut_off() -> None:
    async with server(patience=0.01) as s:
        reader, writer = await s.connect()
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        s.stop.set()
        await s.serving
        for _ in range(100):
            await asyncio.sleep(0)
        # Tornado would close it by itself after five seconds.
        assert not handlers_at_work(s.app, asyncio.get_running_loop())
        assert (await rest(reader)).startswith(b"\x88")
        writer.close()


async def test_what_takes_too_long_is_cut_off() -> None:
    async with server(patience=0.01) as s:
        reader, writer = await s.slow()
        s.stop.set()
        assert await rest(reader) == b""
        await s.serving
        writer.close()
