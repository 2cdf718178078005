"""A server of any protocol: in a block, and as a program that ends with clients connected."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer

from loopfilm import CannotListen
from stormy_demo.batteries.lines import Store
from stormy_demo.listening import listening, main
from tests import quick_start
from tests.addresses import nobody_listens
from tests.paths import ROOT

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]

# Seconds that no machine is too busy for.
LONG = 500


class Reader(TCPServer):
    """Reads for as long as a client is there, and notes how that ended."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = asyncio.Event()
        self.ends: list[str] = []

    async def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        self.arrived.set()
        try:
            await self.wait(stream)
        except (StreamClosedError, asyncio.CancelledError) as error:
            self.ends.append(type(error).__name__)
            raise

    async def wait(self, stream: IOStream) -> None:
        # What is awaited here is heard by nobody, so it is caught here.
        try:
            await stream.read_bytes(1)
        except StreamClosedError:
            self.ends.append("StreamClosedError")


class Dreamer(Reader):
    """Reads nothing, and waits for what does not come."""

    async def wait(self, stream: IOStream) -> None:
        await asyncio.Event().wait()


class Keeper(TCPServer):
    """Keeps its streams, as servers with callbacks do; `handle_stream` is a plain method."""

    def __init__(self) -> None:
        super().__init__()
        self.streams: list[IOStream] = []

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        self.streams.append(stream)
        stream.write(b"welcome")


class TestABlock:
    async def test_closes_the_connections_whose_handlers_hear_of_it(self) -> None:
        server = Reader()
        async with listening(server) as (host, port):
            assert host == "127.0.0.1"
            client = await TCPClient().connect(host, port)
            await server.arrived.wait()
        assert server.ends == ["StreamClosedError"]
        with pytest.raises(StreamClosedError):
            await client.read_bytes(1)

    async def test_cancels_a_handler_that_waits_for_something_else(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("loopfilm.ending.GRACE_PERIOD", 0.01)
        server = Dreamer()
        async with listening(server) as place:
            client = await TCPClient().connect(*place)
            await server.arrived.wait()
        while not server.ends:
            await asyncio.sleep(0)
        assert server.ends == ["CancelledError"]
        client.close()

    async def test_closes_what_a_plain_method_has_kept(self) -> None:
        server = Keeper()
        async with listening(server) as place:
            client = await TCPClient().connect(*place)
            assert await client.read_bytes(7) == b"welcome"
        assert server.streams[0].closed()
        assert await client.read_until_close() == b""

    @pytest.mark.parametrize("turns", range(5))
    async def test_closes_who_comes_at_the_last_moment(self, turns: int) -> None:
        """Also a connection whose handler has not begun when the block ends."""
        before = asyncio.all_tasks()
        with socket.socket() as client:
            async with listening(Store()) as place:
                # The system takes it, and the server when it has its turn.
                client.connect(place)
                for _ in range(turns):
                    await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert asyncio.all_tasks() == before
            client.settimeout(LONG)
            with contextlib.suppress(ConnectionError):
                assert client.recv(1) == b""

    async def test_closes_them_also_when_the_block_fails(self) -> None:
        with pytest.raises(LookupError):
            async with listening(Reader()) as place:
                client = await TCPClient().connect(*place)
                raise LookupError
        assert await client.read_until_close() == b""

    async def test_leaves_nothing_open(self, open_descriptors: Callable[[], int]) -> None:
        async def once() -> None:
            async with listening(Store()) as place:
                client = await TCPClient().connect(*place)
            client.close()

        await once()
        before, tasks = open_descriptors(), asyncio.all_tasks()
        for _ in range(5):
            await once()
        assert open_descriptors() <= before
        assert asyncio.all_tasks() == tasks

    async def test_says_why_it_cannot_listen(self) -> None:
        with (
            nobody_listens() as taken,
            pytest.raises(CannotListen, match=r"on 127\.0\.0\.1, port \d+: "),
        ):
            async with listening(Store(), port=int(taken.rpartition(":")[2])):
                pass

    @pytest.mark.parametrize(("port", "address"), [(0, ""), (70_000, "127.0.0.1"), (-1, "::1")])
    async def test_wants_a_port_and_an_address(self, port: int, address: str) -> None:
        with pytest.raises(CannotListen):
            async with listening(Store(), port=port, address=address):
                pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_a_program_ends_when_it_is_told_to_with_clients_connected(signum: int) -> None:
    command = [sys.executable, "-m", "stormy_demo.batteries.lines", "--port=0"]
    with quick_start.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as program:
        try:
            assert program.stdout
            greeting = program.stdout.readline()
            assert greeting.startswith("listening on 127.0.0.1:")
            assert "Ctrl-C" in greeting
            place = "127.0.0.1", int(greeting.split()[2].rpartition(":")[2])
            with (
                socket.create_connection(place, timeout=LONG) as idle,
                socket.create_connection(place, timeout=LONG) as busy,
            ):
                busy.sendall(b"set ada 10\nget a")
                assert busy.recv(3) == b"ok\n"
                program.send_signal(signum)
                said, _ = program.communicate(timeout=LONG)
                assert idle.recv(1) == b""
            assert (program.returncode, said) == (0, "stopped\n")
        finally:
            program.kill()


def test_a_port_that_is_taken_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with nobody_listens() as taken:
        assert main(Store, ["", f"--port={taken.rpartition(':')[2]}"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "cannot listen on 127.0.0.1" in said and "--port=0" in said


@pytest.mark.parametrize("option", ["--port=eight", "--prot=8", "8888"])
def test_what_is_no_option_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(Store, ["", option])
    assert left.value.code == 2
    assert option.partition("=")[2] in capsys.readouterr().err
