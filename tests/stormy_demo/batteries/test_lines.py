"""A store that is spoken to by lines: whole ones, halves, endless ones, and those of others."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer

from stormy_demo.batteries import lines
from stormy_demo.batteries.lines import HELP, LONGEST, LONGEST_ANSWER, Store, connected
from stormy_demo.listening import listening
from tests.bad_clients import Visit, connect, read_to_the_end, serving, talk, visits

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]


@asynccontextmanager
async def stream_to(server: TCPServer) -> AsyncIterator[IOStream]:
    """Run a server, and connect to it with nothing but a stream."""
    async with listening(server) as place:
        stream = await TCPClient().connect(*place)
        try:
            yield stream
        finally:
            stream.close()


class TestCommands:
    async def test_what_was_set_is_there_for_everybody(self) -> None:
        async with listening(Store()) as place:
            async with connected(*place) as ada:
                assert await ada.ask("set ada 10") == "ok"
            async with connected(*place) as grace:
                assert await grace.ask("get ada") == "ok 10"
                assert await grace.ask("get grace") == "error there is no such name"

    @pytest.mark.parametrize("command", ["", "fly", "get", "set ada", "set ada 1 0", "SET a b"])
    async def test_a_command_that_there_is_not_is_told_so_and_the_next_is_obeyed(
        self, command: str
    ) -> None:
        async with listening(Store()) as place, connected(*place) as ada:
            assert await ada.ask(command) == f"error {HELP}"
            assert await ada.ask("set ada 10") == "ok"

    async def test_bytes_that_are_no_text_are_told_so_and_the_next_is_obeyed(self) -> None:
        async with stream_to(Store()) as stream:
            await stream.write(b"set ada \xff\nset ada \xc3\xa9\nget ada\r\n")
            assert await stream.read_until(b"\n") == b"error this is not UTF-8\n"
            assert await stream.read_until(b"\n") == b"ok\n"
            assert await stream.read_until(b"\n") == "ok é\n".encode()

    async def test_a_store_that_is_full_takes_no_new_name(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lines, "MOST_NAMES", 1)
        async with listening(Store()) as place, connected(*place) as ada:
            assert await ada.ask("set ada 10") == "ok"
            assert await ada.ask("set grace 10") == "error the store is full"
            assert await ada.ask("set ada 11") == "ok"

    @given(st.binary(max_size=LONGEST - 1) | st.text(max_size=20).map(str.encode))
    def test_any_line_is_answered_by_one_line(self, line: bytes) -> None:
        server = Store()
        for command in (line, b"set a " + line, b"get a"):
            answer = server.answer(command.replace(b"\n", b" ") + b"\n")
            assert answer.startswith((b"ok", b"error "))
            assert answer.splitlines(keepends=True) == [answer]
            assert len(answer) <= LONGEST_ANSWER


class TestBytes:
    async def test_lines_that_come_together_are_answered_in_their_order(self) -> None:
        async with stream_to(Store()) as stream:
            await stream.write(b"set ada 10\nget ada\nget grace\n")
            assert await stream.read_until(b"ok 10\n") == b"ok\nok 10\n"
            assert await stream.read_until(b"\n") == b"error there is no such name\n"

    async def test_a_line_may_come_byte_by_byte(self) -> None:
        server = Store()
        async with stream_to(server) as stream:
            stream.set_nodelay(True)
            for byte in b"set ada 10\n":
                assert not server.words
                await stream.write(bytes([byte]))
            assert await stream.read_until(b"\n") == b"ok\n"

    async def test_half_a_line_does_nothing(self) -> None:
        server = Store()
        async with listening(server) as place, connected(*place) as grace:
            await grace.ask("set ada 5")
            async with connected(*place) as ada:
                await ada.ask("get ada")
                await ada.stream.write(b"set ada 10")
            assert await grace.ask("get ada") == "ok 5"
        assert server.words == {"ada": "5"}

    @pytest.mark.parametrize("number", [LONGEST - 1, LONGEST])
    async def test_the_longest_line_is_answered(self, number: int) -> None:
        async with stream_to(Store()) as stream:
            await stream.write(b"get ".ljust(number - 1, b"x") + b"\n")
            assert await stream.read_until(b"\n") == b"error there is no such name\n"

    @pytest.mark.parametrize("line", [b"x" * LONGEST + b"\n", b"x" * (LONGEST + 1)])
    async def test_a_longer_one_closes_the_connection(self, line: bytes) -> None:
        async with listening(Store()) as place, connected(*place) as grace:
            stream = await TCPClient().connect(*place)
            await stream.write(line)
            assert await stream.read_until_close() == b""
            assert await grace.ask("set ada 10") == "ok"

    async def test_without_a_bound_tornado_keeps_a_hundred_megabytes(self) -> None:
        async with stream_to(Store()) as stream:
            assert stream.max_buffer_size == 100 << 20

    async def test_a_slow_client_keeps_nobody(self) -> None:
        async with listening(Store()) as place, connected(*place) as slow:
            await slow.stream.write(b"set slow ")
            for _ in range(3):
                async with connected(*place) as other:
                    assert await other.ask("set other 1") == "ok"
            assert await slow.ask("10") == "ok"

    async def test_a_fast_client_keeps_nobody(self) -> None:
        """All of its lines are there, so nothing has to be waited for."""
        turns, seen = 0, list[int]()

        class Measured(Store):
            def answer(self, line: bytes) -> bytes:
                seen.append(turns)
                return super().answer(line)

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        everybody = asyncio.create_task(others())
        async with stream_to(Measured()) as stream:
            await stream.write(b"set ada 10\n" * 20)
            assert await stream.read_bytes(len("ok\n") * 20) == b"ok\n" * 20
        everybody.cancel()
        assert len(set(seen)) == len(seen) == 20

    async def test_a_silent_client_is_given_up(self) -> None:
        async with stream_to(Store(patience=0.01)) as stream:
            assert await stream.read_until_close() == b""

    async def test_a_client_that_does_not_read_is_given_up(self) -> None:
        class Narrow(Store):
            async def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
                stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
                await super().handle_stream(stream, address)
                gone.set()

        gone = asyncio.Event()
        server = Narrow(patience=0.5)
        server.words["a"] = "x" * 50
        async with listening(server) as (host, port):
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect((host, port))
                client.setblocking(False)
                while not gone.is_set():
                    try:
                        client.send(b"get a\n" * 100)
                    except BlockingIOError:
                        pass
                    except ConnectionError:
                        break
                    await asyncio.sleep(0)
                await gone.wait()


class TestAClient:
    async def test_asks_one_thing_after_another_for_many_at_once(self) -> None:
        async with listening(Store()) as place, connected(*place) as client:
            names = [f"name{n}" for n in range(20)]
            await asyncio.gather(*(client.ask(f"set {name} {name}") for name in names))
            answers = await asyncio.gather(*(client.ask(f"get {name}") for name in names))
            assert answers == [f"ok {name}" for name in names]

    @pytest.mark.parametrize("command", ["get a\nget b", "get a\n", "\ud800"])
    async def test_refuses_what_is_not_one_line(self, command: str) -> None:
        async with listening(Store()) as place, connected(*place) as client:
            with pytest.raises(ValueError):
                await client.ask(command)
            assert await client.ask("set a b") == "ok"

    async def test_leaves_at_the_end_of_its_block(self) -> None:
        async with listening(Store()) as place:
            async with connected(*place) as client:
                await client.ask("set ada 10")
            assert client.stream.closed()

    async def test_hears_that_the_server_has_left(self) -> None:
        async with listening(Store()) as place:
            stream = await TCPClient().connect(*place)
        with pytest.raises(StreamClosedError):
            await lines.Client(stream).ask("get ada")

    async def test_takes_no_late_answer_for_another(self) -> None:
        class Late(Store):
            async def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
                await asked.wait()
                await super().handle_stream(stream, address)

        asked = asyncio.Event()
        async with listening(Late()) as place, connected(*place) as client:
            given_up = asyncio.create_task(client.ask("set ada 10"))
            await asyncio.sleep(0)
            given_up.cancel()
            asked.set()
            with pytest.raises(StreamClosedError):
                await client.ask("get ada")

    async def test_is_told_when_nobody_listens(self) -> None:
        async with listening(Store()) as place:
            pass
        with pytest.raises(OSError):
            async with connected(*place):
                pass


@asynccontextmanager
async def address_of_a_store() -> AsyncIterator[str]:
    async with listening(Store()) as (host, port):
        yield f"{host}:{port}"


WORDS = st.text(max_size=5).map(str.encode) | st.binary(max_size=5) | st.just(b"x" * 100)
COMMANDS = st.builds(
    lambda verb, words, end: b" ".join([verb, *words]) + end,
    st.sampled_from([b"get", b"set", b"SET", b"", b"\x00"]),
    st.lists(WORDS, max_size=3),
    st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\n\n", b"\r", b""]),
)


def test_it_survives_every_client() -> None:
    with serving(address_of_a_store) as server:

        def is_served() -> None:
            with connect(server.url) as other:
                other.sendall(b"get nobody\n")
                assert other.recv(100) == b"error there is no such name\n"

        @given(visits(st.lists(COMMANDS, max_size=8).map(b"".join)))
        def visit(what: Visit) -> None:
            answers = talk(server.url, what, is_served).splitlines(keepends=True)
            assert all(each.startswith((b"ok", b"error ")) for each in answers), answers
            assert all(each.endswith(b"\n") for each in answers), answers
            assert len(answers) <= b"".join(what.pieces).count(b"\n")
            is_served()
            assert not server.complaints, server.complaints

        visit()


def test_a_client_that_sends_all_and_then_its_end_is_answered() -> None:
    """As `printf 'get ada\\n' | nc` does, which reads on."""
    with serving(address_of_a_store) as server, connect(server.url) as client:
        client.sendall(b"set ada 10\nget ada\nget")
        client.shutdown(socket.SHUT_WR)
        assert read_to_the_end(client) == b"ok\nok 10\n"
