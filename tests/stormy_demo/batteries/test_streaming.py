"""Large bodies go up and down in pieces; nobody keeps what the other end is slow to take."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from hashlib import sha256
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from tornado.escape import json_decode
from tornado.http1connection import HTTP1Connection
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.simple_httpclient import HTTPStreamClosedError
from tornado.web import Application, RequestHandler, stream_request_body

from loopfilm import running, running_apart
from stormy_demo.batteries.streaming import (
    PIECE,
    DownloadHandler,
    UploadHandler,
    kept,
    make_app,
    pieces,
)
from tests import quick_start
from tests.bad_clients import Server, Visit, http_requests, serving, statuses, talk, visits
from tests.paths import ROOT

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]

# Bytes; more than the systems keep of a connection whose reader does not read.
MUCH = 400 * PIECE
LENGTHS = [0, 1, PIECE - 1, PIECE, PIECE + 1, 10 * PIECE]
# Seconds that no machine is too busy for.
LONG = 500


def fetch(url: str, **options: Any) -> asyncio.Future[HTTPResponse]:
    """Ask, and wait as long as it takes: the machine may be busy."""
    client = AsyncHTTPClient(force_instance=True)
    patient = {"raise_error": False, "connect_timeout": 0, "request_timeout": 0}
    return client.fetch(url, **{**patient, **options})


def sending(size: int) -> Callable[[Callable[[bytes], Awaitable[None]]], Awaitable[None]]:
    async def produce(write: Callable[[bytes], Awaitable[None]]) -> None:
        for piece in pieces(size):
            await write(piece)

    return produce


def sentence(response: HTTPResponse) -> str:
    [said] = json_decode(response.body).values()
    return str(said)


def head(line: str, *headers: str) -> bytes:
    """The beginning of a request: all but its body."""
    lines = [f"{line} HTTP/1.1", "Host: here", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


class TestUpload:
    @pytest.mark.parametrize("size", LENGTHS)
    async def test_is_counted_and_digested(self, size: int) -> None:
        body = b"".join(pieces(size))
        async with running(make_app()) as url:
            announced = await fetch(f"{url}/upload", method="PUT", body=body)
            in_chunks = await fetch(f"{url}/upload", method="POST", body_producer=sending(size))
        for answer in json_decode(announced.body), json_decode(in_chunks.body):
            assert answer["bytes"] == size
            assert answer["sha256"] == sha256(body).hexdigest()

    async def test_is_never_in_memory_but_for_a_piece(self) -> None:
        held = []

        @stream_request_body
        class Measured(UploadHandler):
            def data_received(self, chunk: bytes) -> None:
                connection: Any = self.request.connection
                held.append(len(chunk) + connection.stream._read_buffer_size)
                super().data_received(chunk)

        app = Application([("/", Measured)], largest=MUCH)
        async with running(app) as url:
            response = await fetch(url, method="PUT", body_producer=sending(MUCH))
        answer = json_decode(response.body)
        assert (answer["bytes"], sum(held) >= MUCH) == (MUCH, True)
        assert answer["largest_piece"] <= PIECE
        assert max(held) <= 3 * PIECE

    def test_may_be_larger_than_what_tornado_takes_by_itself(self) -> None:
        """A client that asks is told to go on, and not that three gigabytes are too many."""
        ask = head("PUT /upload", "Expect: 100-continue", "Content-Length: 3000000000")
        with running_apart(make_app()) as url:
            assert statuses(talk(url, Visit([ask, b"hello"], "half"))) == [100]

    def test_from_a_client_that_is_not_tornado(self) -> None:
        with running_apart(make_app()) as url:
            answer = requests.put(f"{url}/upload", data=pieces(5 * PIECE + 1), timeout=LONG)
        assert answer.json()["bytes"] == 5 * PIECE + 1


class TestDownload:
    @pytest.mark.parametrize("size", LENGTHS)
    async def test_has_the_length_that_was_asked_for(self, size: int) -> None:
        got: list[bytes] = []
        async with running(make_app()) as url:
            address = f"{url}/download?bytes={size}"
            response = await fetch(address, streaming_callback=got.append)
        assert (response.code, response.headers["Content-Length"]) == (200, str(size))
        assert b"".join(got) == b"".join(pieces(size))

    def test_says_in_each_line_which_piece_it_is_of(self) -> None:
        with running_apart(make_app()) as url:
            address = f"{url}/download?bytes={2 * PIECE + 32}"
            answer = requests.get(address, timeout=LONG, stream=True)
            lines = list(map(int, answer.iter_lines()))
        assert lines == [1] * (PIECE // 16) + [2] * (PIECE // 16) + [3, 3]

    async def test_waits_at_flush_for_a_slow_reader(self) -> None:
        """The server stands still while she does nothing, for however many turns."""
        stands_still, most, got = asyncio.Event(), [0], list[int]()

        class Measured(DownloadHandler):
            def flush(self, include_footers: bool = False) -> asyncio.Future[None]:
                flushed = super().flush(include_footers)
                most.append(kept(self))
                if not flushed.done():
                    stands_still.set()
                return flushed

        async def slowly(piece: bytes) -> None:
            await stands_still.wait()
            for _ in range(0 if got else 300):
                await asyncio.sleep(0)
            got.append(len(piece))

        app = Application([("/", Measured)], largest=MUCH)
        async with running(app) as url:
            await fetch(f"{url}/?bytes={MUCH}", streaming_callback=slowly)
        assert sum(got) == MUCH
        # The head of the answer goes with the first piece.
        assert 0 < max(most) <= PIECE + 1000

    async def test_lets_others_have_a_turn_although_the_reader_is_fast(self) -> None:
        """All of it fits into what the system keeps, so no flush has to wait."""
        turns, taken = 0, []

        class Measured(DownloadHandler):
            async def get(self) -> None:
                before = turns
                await super().get()
                taken.append(turns - before)

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        app = Application([("/", Measured)], largest=MUCH)
        everybody = asyncio.create_task(others())
        async with running(app) as url:
            await fetch(f"{url}/?bytes={20 * PIECE}")
        everybody.cancel()
        assert taken[0] >= 20

    async def test_that_forgets_to_wait_keeps_it_all(self) -> None:
        """What the lesson breaks: no error is seen, and the memory has what nobody has read."""
        most, got = [0], list[int]()

        class Forgets(RequestHandler):
            async def get(self) -> None:
                for piece in pieces(MUCH):
                    self.write(piece)
                    self.flush()
                    most.append(kept(self))
                assert not got

        async with running(Application([("/", Forgets)])) as url:
            await fetch(url, streaming_callback=lambda piece: got.append(len(piece)))
        assert sum(got) == MUCH
        assert MUCH / 2 < max(most) == most[-1]

    async def test_keeps_nothing_of_a_connection_that_has_been_closed(self) -> None:
        found = []

        class Closes(RequestHandler):
            def get(self) -> None:
                connection = self.request.connection
                assert isinstance(connection, HTTP1Connection)
                connection.stream.close()
                found.append(kept(self))

        async with running(Application([("/", Closes)])) as url:
            with pytest.raises(HTTPStreamClosedError):
                await fetch(url)
        assert found == [0]


@contextlib.asynccontextmanager
async def connection(
    url: str,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(lambda: running(make_app(largest=1000))) as server:
        yield server


CHUNKED = head("PUT /upload", "Transfer-Encoding: chunked")
FAIR = "/download?bytes=10"


class TestRefuses:
    @pytest.mark.parametrize(
        "query",
        [
            *("", "?bytes=", "?bytes=-1", "?bytes=1e3", "?bytes=ten", "?bytes=1_0"),
            *("?bytes=1001", "?bytes=1&bytes=1", "?bytes=%ff", "?bytes=%D9%A3"),
            pytest.param("?bytes=" + "9" * 5000, id="huge"),
        ],
    )
    async def test_a_download_of_what_is_no_fair_number(self, query: str) -> None:
        async with running(make_app(largest=1000)) as url:
            response = await fetch(f"{url}/download{query}")
        assert response.code == 400
        assert "bytes" in sentence(response)

    async def test_an_upload_that_is_announced_as_too_long(self) -> None:
        """The client asks first, so not a byte of the body is sent."""
        sent: list[bytes] = []
        ask_first: dict[str, Any] = {
            "body_producer": sent.append,
            "headers": {"Content-Length": "1001"},
            "expect_100_continue": True,
        }
        async with running(make_app(largest=1000)) as url:
            response = await fetch(f"{url}/upload", method="PUT", **ask_first)
        assert (response.code, sent) == (413, [])
        assert "1000 bytes" in sentence(response)

    def test_an_upload_that_grows_too_long(self, server: Server) -> None:
        fair = b"3e8\r\n" + bytes(1000) + b"\r\n"
        assert server.survives(Visit([CHUNKED, fair, b"0\r\n\r\n"], "half"), FAIR) == [200]
        assert server.survives(Visit([CHUNKED, fair, b"1\r\n"], "half"), FAIR) == [400]

    @pytest.mark.parametrize(("method", "status"), [("GET", 405), ("PATCH", 405)])
    async def test_another_method(self, method: str, status: int) -> None:
        async with running(make_app()) as url:
            body = b"" if method == "PATCH" else None
            assert (await fetch(f"{url}/upload", method=method, body=body)).code == status

    async def test_another_address(self) -> None:
        async with running(make_app()) as url:
            response = await fetch(url)
        assert response.code == 404
        assert "/download?bytes=" in sentence(response)

    def test_a_limit_that_makes_no_sense(self) -> None:
        with pytest.raises(ValueError, match="largest"):
            make_app(largest=-1)


class TestBadClients:
    @pytest.mark.parametrize(
        "body",
        [
            *(b"x\r\n", b"-1\r\n", b"\r\n", b"5;x\r\n", b"f" * 17 + b"\r\n"),
            *(b"5\r\nhello!!0\r\n\r\n", b"5\r\nhello\r\n0\r\nmore", b"3e9\r\n"),
        ],
    )
    def test_whose_chunks_are_none(self, server: Server, body: bytes) -> None:
        assert server.survives(Visit([CHUNKED, body], "half"), FAIR) == [400]

    @pytest.mark.parametrize(
        "headers",
        [
            ["Content-Length: five"],
            ["Content-Length: -5"],
            ["Content-Length: 5, 6"],
            ["Content-Length: 5", "Content-Length: 6"],
            ["Content-Length: \xb2"],
            pytest.param(["Content-Length: " + "9" * 5000], id="huge"),
            ["Content-Length: 5", "Transfer-Encoding: chunked"],
            ["Transfer-Encoding: gzip"],
        ],
    )
    def test_whose_length_is_none(self, server: Server, headers: list[str]) -> None:
        request = head("PUT /upload", *headers) + b"hello"
        assert server.survives(Visit([request], "half"), FAIR) == [400]

    @pytest.mark.parametrize(
        "body", [b"5", b"5\r\n", b"5\r\nhel", b"5\r\nhello", b"0\r\n", b"5" * 99]
    )
    def test_whose_chunks_do_not_end(self, server: Server, body: bytes) -> None:
        assert server.survives(Visit([CHUNKED, body], "half"), FAIR) == []

    @pytest.mark.parametrize("leaves", ["half", "close", "reset"])
    @pytest.mark.parametrize("sent", [b"", b"hello"])
    def test_that_leave_in_the_middle_of_an_upload(
        self, server: Server, leaves: Any, sent: bytes
    ) -> None:
        request = head("PUT /upload", "Content-Length: 500") + sent
        assert server.survives(Visit([request], leaves), FAIR) == []

    @pytest.mark.parametrize("leaves", ["half", "close", "reset"])
    async def test_that_leave_in_the_middle_of_a_download(
        self, open_descriptors: Callable[[], int], leaves: Any
    ) -> None:
        before = open_descriptors()
        request = head(f"GET /download?bytes={MUCH}", "Connection: close")
        with serving(lambda: running(make_app())) as server:
            server.survives(Visit([request], leaves), FAIR)
        assert open_descriptors() == before

    @settings(max_examples=120)
    @given(visit=visits(http_requests(["/upload", "/download"], ["bytes"])))
    def test_of_every_kind(self, server: Server, visit: Visit) -> None:
        server.survives(visit, FAIR)

    @settings(max_examples=80)
    @given(
        chunks=st.lists(
            st.tuples(st.sampled_from([-1, 0, 0, 0, 1, 2000]), st.binary(max_size=300))
        ),
        end=st.sampled_from([b"0\r\n\r\n", b"0\r\n", b"", b"0\r\n0\r\n"]),
        data=st.data(),
    )
    def test_whose_chunks_are_longer_or_shorter_than_they_say(
        self, server: Server, chunks: list[tuple[int, bytes]], end: bytes, data: st.DataObject
    ) -> None:
        """A body is told back as it was sent, or refused, or never answered."""
        body = b"".join(
            b"%x\r\n%s\r\n" % (max(len(chunk) + wrong_by, 1), chunk)
            for wrong_by, chunk in chunks
        )
        visit = data.draw(visits(st.just(CHUNKED + body + end)))
        found = server.survives(visit, FAIR)
        sent = b"".join(chunk for _, chunk in chunks)
        is_fair = all(chunk and not wrong_by for wrong_by, chunk in chunks)
        is_whole = b"".join(visit.pieces) == CHUNKED + body + b"0\r\n\r\n"
        if is_fair and is_whole and visit.leaves == "half":
            assert found == [200 if len(sent) <= 1000 else 400]
        assert set(found) <= {200, 400}


class TestStops:
    async def test_in_the_middle_of_everything(
        self, open_descriptors: Callable[[], int]
    ) -> None:
        """Half a download can only end with its connection: who got it sees that it is half."""
        before = open_descriptors()
        async with contextlib.AsyncExitStack() as stack:
            async with running(make_app()) as url:
                up, _ = pair = await stack.enter_async_context(connection(url))
                pair[1].write(CHUNKED + b"5\r\nhello\r\n")
                down, writer = await stack.enter_async_context(connection(url))
                writer.write(head(f"GET /download?bytes={10 * MUCH}"))
                await down.readuntil(b"\r\n\r\n")
            got = b""
            with contextlib.suppress(ConnectionError):
                while data := await down.read(PIECE):
                    got += data
            assert len(got) < 10 * MUCH
            with contextlib.suppress(ConnectionError):
                assert b" 200 " not in await up.read()
        assert open_descriptors() == before

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
    def test_as_a_program_with_a_reader_who_does_not_read(self) -> None:
        command = [sys.executable, "-m", "stormy_demo.batteries.streaming", "--port=0"]
        with quick_start.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as program:
            try:
                assert program.stdout
                url = program.stdout.readline().split()[2]
                answer = requests.put(f"{url}/upload", data=b"hello", timeout=LONG)
                assert answer.json()["bytes"] == 5
                host, port = url.removeprefix("http://").split(":")
                with socket.create_connection((host, int(port)), LONG) as reader:
                    reader.sendall(head(f"GET /download?bytes={10 * MUCH}"))
                    assert statuses(reader.recv(1000)) == [200]
                    program.send_signal(signal.SIGTERM)
                    said, _ = program.communicate(timeout=LONG)
            finally:
                program.kill()
        assert program.returncode == 0
        assert "stopped" in said
        assert "Traceback" not in said
