"""The engines "simple" and "curl" keep what requests promises of its adapters, in full.

Stock requests is the measure: where it can, each test runs with it too, on a thread.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import io
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pytest
import requests
import trustme
import urllib3
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from requests.adapters import HTTPAdapter
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpserver import TCPServer
from urllib3.util import SKIP_HEADER

import tornalet
from trequests import TornadoAdapter, setup_session
from trequests.engines import pooled, turns

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]

P = ParamSpec("P")
T = TypeVar("T")
Talk = Callable[[IOStream], Awaitable[None]]

MEGABYTE = 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\n"
EMPTY = OK + b"Content-Length: 0\r\n\r\n"
IN_CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 500 + b"0\r\n\r\n"


class Way:
    """A way to run plain code that uses requests, and to wait in it for the servers here."""

    def __init__(self, engine: str | None) -> None:
        self.engine = engine
        self.loop = asyncio.get_running_loop()

    async def __call__(self, code: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self.engine is None:
            return await asyncio.to_thread(code, *args, **kwargs)
        with setup_session(engine=self.engine):
            return await tornalet.run(code, *args, **kwargs)

    def wait(self, awaitable: Any) -> Any:
        if tornalet.can_wait():
            return tornalet.wait(awaitable)
        return asyncio.run_coroutine_threadsafe(awaitable, self.loop).result(30)


def engines(*names: str | None) -> Any:
    return pytest.mark.parametrize("engine", names, ids=[n or "stock" for n in names])


everywhere = engines(None, "simple", "curl", "sockets")
in_tornado = engines("simple", "curl")


@pytest.fixture(autouse=True)
def needs_curl(request: pytest.FixtureRequest) -> None:
    if getattr(request.node, "callspec", None) and "curl" in request.node.callspec.id:
        try:
            import pycurl  # noqa: F401
        except ImportError as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(f"the curl engine cannot be used here: {error}")


class Server(TCPServer):
    """Talks to each client as a test says, and knows who has gone."""

    def __init__(self, talk: Talk, **options: Any) -> None:
        super().__init__(**options)
        self.talk = talk
        self.talks = set[asyncio.Task[Any]]()
        self.gone = asyncio.Event()

    async def handle_stream(self, stream: IOStream, address: Any) -> None:
        task = asyncio.current_task()
        assert task
        self.talks.add(task)
        try:
            with contextlib.suppress(StreamClosedError):
                await self.talk(stream)
        finally:
            self.talks.discard(task)
            stream.close()
            self.gone.set()

    @property
    def port(self) -> int:
        return int(next(iter(self._sockets.values())).getsockname()[1])


@contextlib.asynccontextmanager
async def serving(talk: Talk, **options: Any) -> AsyncIterator[Server]:
    server = Server(talk, **options)
    server.listen(0, "127.0.0.1")
    try:
        yield server
    finally:
        server.stop()
        for task in server.talks:
            task.cancel()
        await asyncio.gather(*server.talks, return_exceptions=True)


@contextlib.asynccontextmanager
async def at(talk: Talk) -> AsyncIterator[str]:
    async with serving(talk) as server:
        yield f"http://127.0.0.1:{server.port}/"


def answers(*parts: bytes, hang: bool = False) -> Talk:
    async def talk(stream: IOStream) -> None:
        await asked(stream)
        for part in parts:
            await stream.write(part)
        if hang:
            await stream.read_until_close()

    return talk


async def asked(stream: IOStream) -> bytes:
    """Read the headers of a request."""
    return await stream.read_until(b"\r\n\r\n")


async def chunk(stream: IOStream) -> bytes:
    """Read one chunk of a request's body."""
    size = int(await stream.read_until(b"\r\n"), 16)
    return (await stream.read_bytes(size + 2))[:-2]


# Seconds. On a busy machine something else than what is meant may be too late. Then all of it
# happens again with more time.
PATIENCE = (0.15, 1, 5, 25)


async def too_late(
    engine: str | None, code: Callable[[float], Any], kind: type[Exception]
) -> Exception:
    """Return what plain code raises whose time is over."""
    for seconds in PATIENCE:
        with pytest.raises(requests.RequestException) as raised:
            await Way(engine)(code, seconds)
        if type(raised.value) is kind:
            break
    assert type(raised.value) is kind
    return raised.value


class TestTimeouts:
    """The first is for connecting, and the second for each wait for a part of the answer."""

    @everywhere
    async def test_what_drips_in_time_comes_in_time(self, engine: str | None) -> None:
        async def dripped(pause: float) -> str:
            async def talk(stream: IOStream) -> None:
                await asked(stream)
                await stream.write(OK + b"Content-Length: 6\r\n\r\n")
                for _ in range(6):
                    await asyncio.sleep(pause / 4)
                    await stream.write(b".")

            async with at(talk) as url:
                with contextlib.suppress(requests.ConnectionError, requests.Timeout):
                    # All pauses together are longer.
                    return (await Way(engine)(requests.get, url, timeout=pause)).text
            return "too late"

        for pause in PATIENCE:
            text = await dripped(pause)
            if text == "......":
                break
        assert text == "......"

    @everywhere
    async def test_no_headers_in_time(self, engine: str | None) -> None:
        async with at(answers(hang=True)) as url:
            with pytest.raises(requests.ReadTimeout) as raised:
                await Way(engine)(requests.get, url, timeout=(None, 0.1))
        assert isinstance(raised.value.args[0], urllib3.exceptions.ReadTimeoutError)
        assert "Read timed out. (read timeout=0.1)" in raised.value.args[0].args[0]

    @everywhere
    async def test_headers_that_do_not_end_in_time(self, engine: str | None) -> None:
        async with at(answers(OK, hang=True)) as url:
            with pytest.raises(requests.ReadTimeout):
                await Way(engine)(requests.get, url, timeout=(30, 0.1))

    @pytest.mark.parametrize(
        "length", [b"Content-Length: 8\r\n", b""], ids=["known", "unknown"]
    )
    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    @everywhere
    async def test_no_rest_of_the_body_in_time(
        self, engine: str | None, stream: bool, length: bytes
    ) -> None:
        def code(seconds: float) -> bytes:
            return requests.get(url, timeout=seconds, stream=stream).content

        half = OK + length + b"\r\nhalf"
        async with at(answers(half, hang=True)) as url:
            error = await too_late(engine, code, requests.ConnectionError)
        assert isinstance(error.args[0], urllib3.exceptions.ReadTimeoutError)

    @everywhere
    async def test_a_total_is_the_end_of_patience(self, engine: str | None) -> None:
        def code(seconds: float) -> None:
            requests.get(url, timeout=urllib3.Timeout(total=seconds))

        async with at(answers(hang=True)) as url:
            await too_late(engine, code, requests.ReadTimeout)

    @everywhere
    async def test_a_total_is_for_the_body_too(self, engine: str | None) -> None:
        def code(seconds: float) -> None:
            requests.get(url, timeout=urllib3.Timeout(total=seconds))

        half = OK + b"Content-Length: 8\r\n\r\nhalf"
        async with at(answers(half, hang=True)) as url:
            await too_late(engine, code, requests.ConnectionError)

    @pytest.mark.parametrize("length", ["known", "unknown"])
    @everywhere
    async def test_nobody_reads_what_is_sent(self, engine: str | None, length: str) -> None:
        async def talk(stream: IOStream) -> None:
            await asyncio.Event().wait()

        def code(seconds: float) -> None:
            body: Any = bytes(20 * MEGABYTE)
            requests.post(url, data=iter([body]) if unknown else body, timeout=seconds)

        unknown = length == "unknown"
        async with at(talk) as url:
            await too_late(engine, code, requests.ConnectionError)

    @everywhere
    async def test_nobody_shakes_hands(self, engine: str | None) -> None:
        async def talk(stream: IOStream) -> None:
            await asyncio.Event().wait()

        def code(seconds: float) -> None:
            requests.get(f"https://127.0.0.1:{server.port}", timeout=seconds)

        async with serving(talk) as server:
            await too_late(engine, code, requests.ReadTimeout)

    @engines("simple", "curl", "sockets")
    async def test_a_loop_that_is_late_takes_no_answer_for_a_silence(self, engine: str) -> None:
        async def asked_with(seconds: float) -> str:
            asked_for, go, sent = (threading.Event() for _ in range(3))

            def serve(server: socket.socket) -> None:
                # Nobody may have come in time.
                with contextlib.suppress(OSError):
                    client, _ = server.accept()
                    with client:
                        client.recv(65536)
                        asked_for.set()
                        go.wait(500)
                        client.sendall(OK + b"Content-Length: 2\r\nConnection: close\r\n\r\nhi")
                sent.set()

            with socket.create_server(("127.0.0.1", 0)) as server:
                server.settimeout(10)
                url = f"http://127.0.0.1:{server.getsockname()[1]}/"
                thread = threading.Thread(target=serve, args=(server,))
                thread.start()
                answer = asyncio.create_task(Way(engine)(requests.get, url, timeout=seconds))
                # The thread answers at once, and the loop looks after the time is over.
                while not (asked_for.is_set() or answer.done()):
                    await asyncio.sleep(0)
                for _ in range(20):
                    await asyncio.sleep(0)
                go.set()
                sent.wait()
                time.sleep(1.2 * seconds)
                thread.join()
                with contextlib.suppress(requests.RequestException):
                    return (await answer).text
            return "too late"

        for seconds in PATIENCE:
            text = await asked_with(seconds)
            if text == "hi":
                break
        assert text == "hi"


FRAMES: dict[str, tuple[bytes, Callable[[bytes], bytes], bytes]] = {
    "length": (b"Content-Length: %d\r\n\r\n", lambda piece: piece, b""),
    "chunks": (
        b"Transfer-Encoding: chunked\r\n\r\n",
        lambda piece: b"%x\r\n%b\r\n" % (len(piece), piece),
        b"0\r\n\r\n",
    ),
    "end": (b"Connection: close\r\n\r\n", lambda piece: piece, b""),
}
framed = pytest.mark.parametrize("frame", FRAMES)


class Large:
    """Sends a large body, and knows how much of it has left."""

    def __init__(self, frame: str, pieces: int) -> None:
        self.head, self.frame, self.tail = FRAMES[frame]
        self.pieces = pieces
        self.sent = 0

    async def __call__(self, stream: IOStream) -> None:
        await asked(stream)
        length = self.pieces * MEGABYTE
        await stream.write(OK + (self.head % length if b"%d" in self.head else self.head))
        piece = self.frame(bytes(MEGABYTE))
        for _ in range(self.pieces):
            await stream.write(piece)
            self.sent += MEGABYTE
        await stream.write(self.tail)


class TestStreams:
    @framed
    @everywhere
    async def test_a_piece_is_given_when_it_comes(self, engine: str | None, frame: str) -> None:
        """The server sends the second when the first has been read."""
        way, first_is_read = Way(engine), asyncio.Event()
        head, cut, tail = FRAMES[frame]

        async def talk(stream: IOStream) -> None:
            await asked(stream)
            await stream.write(OK + head.replace(b"%d", b"6") + cut(b"one"))
            await first_is_read.wait()
            await stream.write(cut(b"two") + tail)

        async def set_it() -> None:
            first_is_read.set()

        def code() -> list[bytes]:
            with requests.get(url, stream=True, timeout=500) as answer:
                pieces = answer.iter_content(3)
                first = next(pieces)
                way.wait(set_it())
                return [first, *pieces]

        async with at(talk) as url:
            assert await way(code) == [b"one", b"two"]

    @framed
    @everywhere
    async def test_a_slow_reader_holds_up_the_server(
        self, engine: str | None, frame: str
    ) -> None:
        """It has more than 100 MB, which is where Tornado's clients would give up."""
        large = Large(frame, pieces=120)

        def code() -> int:
            read = 0
            with requests.get(url, stream=True, timeout=500) as answer:
                for piece in answer.iter_content(MEGABYTE):
                    read += len(piece)
                    assert large.sent - read < 32 * MEGABYTE
            return read

        async with at(large) as url:
            assert await Way(engine)(code) == 120 * MEGABYTE

    @pytest.mark.parametrize("body", [b"Content-Length: 500\r\n\r\n" + b"x" * 500, IN_CHUNKS])
    @engines("simple", "curl", "sockets")
    async def test_whoever_reads_many_pieces_lets_others_have_turns(
        self, engine: str, body: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(turns, "LONGEST", 0.0)
        loop, had = asyncio.get_running_loop(), 0

        def another_turn() -> None:
            nonlocal had, again
            had += 1
            again = loop.call_soon(another_turn)

        def code() -> tuple[int, int]:
            answer = requests.get(url, stream=True, timeout=500)
            before = had
            return sum(map(len, answer.iter_content())), had - before

        again = loop.call_soon(another_turn)
        async with at(answers(OK + body)) as url:
            read, others = await Way(engine)(code)
        again.cancel()
        assert read == 500
        assert others >= 500

    @everywhere
    async def test_a_large_answer_comes_whole(self, engine: str | None) -> None:
        def code() -> int:
            return len(requests.get(url, timeout=500).content)

        # Tornado's clients would give up above 100 MB.
        pieces = 101 if engine in ("simple", "curl") else 20
        async with at(Large("length", pieces=pieces)) as url:
            assert await Way(engine)(code) == pieces * MEGABYTE

    @everywhere
    async def test_lines_and_raw_reads(self, engine: str | None) -> None:
        body = OK + b"Content-Length: 14\r\n\r\none\ntwo\nthree\n"

        def lines() -> list[bytes]:
            return list(requests.get(url, stream=True, timeout=500).iter_lines(chunk_size=5))

        def raws() -> list[Any]:
            raw = requests.get(url, stream=True, timeout=500).raw
            return [
                raw.read(2),
                raw.read(0),
                raw.tell(),
                *raw.stream(8),
                raw.read(),
                raw.closed,
            ]

        async with at(answers(body)) as url:
            assert await Way(engine)(lines) == [b"one", b"two", b"three"]
            assert await Way(engine)(raws) == [
                b"on", b"", 2, b"e\ntwo\nth", b"ree\n", b"", True,
            ]  # fmt: skip

    @everywhere
    async def test_chunks_are_read_only_if_there_are_any(self, engine: str | None) -> None:
        def code() -> list[bytes]:
            with requests.get(url, stream=True, timeout=500) as answer:
                return list(answer.raw.read_chunked())

        async with at(answers(OK + b"Content-Length: 2\r\n\r\nhi")) as url:
            with pytest.raises(urllib3.exceptions.ResponseNotChunked):
                await Way(engine)(code)
        chunks = OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
        async with at(answers(chunks)) as url:
            assert await Way(engine)(code) == [b"hi"]

    @in_tornado
    async def test_nothing_of_the_chunks_is_read_if_nothing_is_wanted(
        self, engine: str
    ) -> None:
        def code() -> tuple[list[bytes], bytes]:
            with requests.get(url, stream=True, timeout=500) as answer:
                return list(answer.raw.read_chunked(0)), answer.raw.read()

        chunks = OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
        async with at(answers(chunks)) as url:
            assert await Way(engine)(code) == ([], b"hi")

    @everywhere
    async def test_what_is_no_status_of_http_is_no_answer(self, engine: str | None) -> None:
        async with at(answers(b"ICY 200 OK\r\nA: b\r\n\r\nhi")) as url:
            with pytest.raises(requests.ConnectionError):
                await Way(engine)(requests.get, url, timeout=500)

    @everywhere
    async def test_hosts_that_are_too_many_to_remember_are_asked_all_the_same(
        self, engine: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def code() -> list[str]:
            with requests.Session() as session:
                return [session.get(url, timeout=500).text for _ in range(2)]

        async def stays_open(stream: IOStream) -> None:
            """One that closed could do so while the second request is on its way."""
            for _ in range(2):
                await answers(OK + b"Content-Length: 2\r\n\r\nhi")(stream)

        monkeypatch.setattr(pooled, "REMEMBERED_HOSTS", 0)
        async with at(stays_open) as url:
            assert await Way(engine)(code) == ["hi"] * 2

    @everywhere
    async def test_what_comes_after_the_chunks_is_left_out(self, engine: str | None) -> None:
        chunks = b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-End: 1\r\n\r\n"
        async with at(answers(OK + chunks)) as url:
            answer = await Way(engine)(requests.get, url, timeout=500)
        assert answer.text == "hi"
        assert list(answer.headers) == ["Transfer-Encoding"]

    @in_tornado
    async def test_the_rest_is_read_on_another_loop(self, engine: str) -> None:
        def code() -> requests.Response:
            return requests.get(url, stream=True, timeout=500)

        def read() -> bytes:
            return asyncio.run(tornalet.run(lambda: answer.content))

        async with at(Large("chunks", pieces=8)) as url:
            answer = await Way(engine)(code)
            content = await asyncio.to_thread(read)
        assert len(content) == 8 * MEGABYTE

    @in_tornado
    async def test_the_rest_may_block_another_loop_which_is_warned_of(
        self, engine: str
    ) -> None:
        def code() -> requests.Response:
            return requests.get(url, stream=True, timeout=500)

        async def read() -> bytes:
            with pytest.warns(RuntimeWarning, match="waiting for an answer blocks"):
                return answer.raw.read(4)

        half = OK + b"Content-Length: 8\r\n\r\nhalf"
        async with at(answers(half, hang=True)) as url:
            answer = await Way(engine)(code)
            assert await asyncio.to_thread(asyncio.run, read()) == b"half"
            answer.close()

    @in_tornado
    def test_the_rest_does_not_come_after_its_loop_has_ended(self, engine: str) -> None:
        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(65536)
                client.sendall(OK + b"Content-Length: 8\r\n\r\nhalf")
                client.recv(1)

        def ask() -> requests.Response:
            answer = requests.get(url, stream=True, timeout=500)
            assert answer.raw.read(4) == b"half"
            return answer

        async def begin() -> requests.Response:
            return await Way(engine)(ask)

        with socket.create_server(("127.0.0.1", 0)) as server:
            url = f"http://127.0.0.1:{server.getsockname()[1]}/"
            thread = threading.Thread(target=serve)
            thread.start()
            loop = asyncio.new_event_loop()
            answer = loop.run_until_complete(begin())
            with pytest.raises(RuntimeError, match="brought this answer has ended"):
                answer.raw.read(4)
            answer.close()
            loop.run_until_complete(asyncio.sleep(0.01))
            thread.join()
            loop.close()

    @in_tornado
    async def test_the_rest_is_read_on_another_thread(self, engine: str) -> None:
        def code() -> requests.Response:
            return requests.get(url, stream=True, timeout=500)

        async with at(Large("chunks", pieces=8)) as url:
            answer = await Way(engine)(code)
            content = await asyncio.to_thread(lambda: answer.content)
        assert len(content) == 8 * MEGABYTE

    @in_tornado
    async def test_the_rest_cannot_come_where_it_is_waited_for(self, engine: str) -> None:
        """Plain code on the loop's thread would wait for ever for the loop that it holds up."""

        def code() -> requests.Response:
            return requests.get(url, stream=True, timeout=500)

        half = OK + b"Content-Length: 8\r\n\r\nhalf"
        async with at(answers(half, hang=True)) as url:
            answer = await Way(engine)(code)
            assert answer.raw.read(4) == b"half"
            with pytest.raises(
                RuntimeError, match="underneath @tornalet, or on another thread"
            ):
                answer.raw.read(4)
            answer.close()


def close(answer: requests.Response) -> None:
    answer.close()


def leave(answer: requests.Response) -> None:
    with answer:
        pass


def forget(answer: requests.Response) -> None:
    """Keep nothing of it, and so leave it to the garbage collector."""


def read_a_bit(answer: requests.Response) -> None:
    next(answer.iter_content(2))
    answer.close()


def read_too_long(answer: requests.Response) -> None:
    with pytest.raises(requests.ConnectionError):
        _ = answer.content


class TestEnds:
    """What is given up ends at once: the server sees its client go."""

    @pytest.mark.parametrize("end", [close, leave, forget, read_a_bit, read_too_long])
    @everywhere
    async def test_an_answer_that_is_not_read_to_its_end(
        self, engine: str | None, end: Callable[[requests.Response], None]
    ) -> None:
        def code() -> None:
            with requests.Session() as session:
                for seconds in PATIENCE if end is read_too_long else (30,):
                    with contextlib.suppress(requests.Timeout):
                        end(session.get(url, stream=True, timeout=seconds))
                        break
            gc.collect()

        async with serving(answers(OK + b"Content-Length: 8\r\n\r\nhalf", hang=True)) as server:
            url = f"http://127.0.0.1:{server.port}/"
            before = asyncio.all_tasks()
            await Way(engine)(code)
            await server.gone.wait()
            # Of several tries each has one of these; one that is left would hang here.
            if left := asyncio.all_tasks() - before:
                await asyncio.wait(left)

    @pytest.mark.parametrize("head", [b"", OK + b"Content-Length: 8\r\n\r\nhalf"])
    @engines("simple", "curl", "sockets")
    async def test_a_cancelled_task(
        self, engine: str, head: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        came = asyncio.Event()

        async def talk(stream: IOStream) -> None:
            await asked(stream)
            await stream.write(head)
            came.set()
            await stream.read_until_close()

        async with serving(talk) as server:
            url = f"http://127.0.0.1:{server.port}/"
            task = asyncio.create_task(Way(engine)(requests.get, url, timeout=500))
            await came.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.gone.wait()
        gc.collect()
        assert caplog.records == []

    @engines("simple", "curl", "sockets")
    async def test_a_task_that_is_cancelled_while_it_sends(self, engine: str) -> None:
        came = asyncio.Event()

        async def talk(stream: IOStream) -> None:
            await asked(stream)
            came.set()
            await stream.read_until_close()

        def body() -> Iterator[bytes]:
            yield b"one"
            tornalet.wait(asyncio.Event().wait())

        async with serving(talk) as server:
            url = f"http://127.0.0.1:{server.port}/"
            task = asyncio.create_task(
                Way(engine)(requests.post, url, data=body(), timeout=500)
            )
            await came.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.gone.wait()


class TestErrors:
    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (b"Content-Length: 16\r\nContent-Length: 32\r\n\r\n", "InvalidHeader"),
            (b"Content-Length: 8\r\n\r\nhalf", "ChunkedEncodingError"),
            (b"Transfer-Encoding: chunked\r\n\r\n8\r\nhalf", "ChunkedEncodingError"),
            (b"Transfer-Encoding: chunked\r\n\r\nno number\r\n", "ChunkedEncodingError"),
            (b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "ChunkedEncodingError"),
        ],
        ids=["two lengths", "short", "half a chunk", "no chunk", "no last chunk"],
    )
    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    @everywhere
    async def test_an_answer_that_is_wrong(
        self, engine: str | None, stream: bool, answer: bytes, error: str
    ) -> None:
        def code() -> bytes:
            return requests.get(url, stream=stream, timeout=500).content

        async with at(answers(OK + answer)) as url:
            with pytest.raises(getattr(requests.exceptions, error)):
                await Way(engine)(code)

    @everywhere
    async def test_headers_that_break_off(self, engine: str | None) -> None:
        async with at(answers(OK + b"Transfer-Encoding: chunked\r\n")) as url:
            with pytest.raises(requests.exceptions.ChunkedEncodingError):
                await Way(engine)(requests.get, url, timeout=500)

    @pytest.mark.parametrize(
        "head",
        [
            OK + b"X-Many: 1\r\n" * 200 + b"\r\n",
            OK + b"X-Long: " + bytes([120]) * 70_000 + b"\r\n\r\n",
        ],
        ids=["too many", "too long"],
    )
    @everywhere
    async def test_headers_that_are_too_many_or_too_long(
        self, engine: str | None, head: bytes
    ) -> None:
        async with at(answers(head)) as url:
            with pytest.raises(requests.ConnectionError) as raised:
                await Way(engine)(requests.get, url, timeout=500)
        assert type(raised.value) is requests.ConnectionError

    @in_tornado
    async def test_headers_without_end(self, engine: str) -> None:
        async def talk(stream: IOStream) -> None:
            await asked(stream)
            await stream.write(OK)
            while True:
                await stream.write(b"X-Many: " + bytes([120]) * 60_000 + b"\r\n")

        async with at(talk) as url:
            with pytest.raises(requests.ConnectionError) as raised:
                await Way(engine)(requests.get, url, timeout=500)
        assert type(raised.value) is requests.ConnectionError
        assert re.search("more than|Too large", str(raised.value))

    @pytest.mark.parametrize("value", ["one\r\nX-Other: 2", "one\ntwo"])
    @everywhere
    async def test_a_header_of_two_lines(self, engine: str | None, value: str) -> None:
        def code() -> None:
            request = requests.Request("GET", "http://127.0.0.1:1/").prepare()
            request.headers["X-Name"] = value
            with requests.Session() as session:
                session.send(request, timeout=500)

        async with at(answers(EMPTY)) as url:
            with pytest.raises(ValueError, match="header"):
                await Way(engine)(code)
            assert url

    @pytest.mark.parametrize("name", ["a..b", "a" * 70 + ".invalid"])
    async def test_a_name_that_cannot_be_one_is_what_it_is_to_stock(self, name: str) -> None:
        url, kinds = f"http://{name}/", list[type[Exception]]()
        for engine in (None, "sockets"):
            with pytest.raises(
                Exception, match=r"label empty or too long|label too long"
            ) as raised:
                await Way(engine)(requests.get, url, timeout=500)
            kinds.append(raised.type)
        assert kinds[0] is kinds[1]

    @everywhere
    async def test_nobody_is_there_for_a_body(self, engine: str | None) -> None:
        def body() -> Iterator[bytes]:
            taken.append("a piece")
            yield b"one"

        taken = list[str]()
        with pytest.raises(requests.ConnectionError):
            await Way(engine)(requests.post, "http://127.0.0.1:1/", data=body(), timeout=500)
        assert taken == []

    @everywhere
    async def test_the_server_hangs_up_in_the_middle_of_a_body(
        self, engine: str | None
    ) -> None:
        async def talk(stream: IOStream) -> None:
            await asked(stream)

        def body() -> Iterator[bytes]:
            for _ in range(1000):
                yield bytes(100_000)

        async with at(talk) as url:
            with pytest.raises(requests.ConnectionError):
                await Way(engine)(requests.post, url, data=body(), timeout=500)

    @everywhere
    async def test_a_body_that_is_refused_in_the_middle(self, engine: str | None) -> None:
        """The answer comes, whether or not all of the body could be sent."""
        way, answered = Way(engine), asyncio.Event()

        async def talk(stream: IOStream) -> None:
            await asked(stream)
            await chunk(stream)
            await stream.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
            answered.set()
            with contextlib.suppress(StreamClosedError):
                while await chunk(stream):
                    pass

        def body() -> Iterator[bytes]:
            yield b"one"
            way.wait(asyncio.wait_for(answered.wait(), 500))
            for _ in range(10):
                yield b"more"

        async with at(talk) as url:
            answer = await way(requests.post, url, data=body(), timeout=500)
        assert (answer.status_code, answer.text) == (413, "no")

    @everywhere
    async def test_what_came_before_it_broke_off_is_given(self, engine: str | None) -> None:
        def code() -> list[bytes]:
            came = list[bytes]()
            answer = requests.get(url, stream=True, timeout=500)
            with pytest.raises(requests.exceptions.ChunkedEncodingError):
                came.extend(iter_until_it_breaks(answer, came))
            return came

        async with at(answers(OK + b"Content-Length: 8\r\n\r\nhalf")) as url:
            assert await Way(engine)(code) == [b"ha", b"lf"]

    @pytest.mark.parametrize("scheme", ["http", "https"])
    async def test_the_exception_says_what_stock_s_says(self, scheme: str) -> None:
        texts = list[str]()
        for engine in (None, "sockets"):
            with pytest.raises(requests.ConnectionError) as raised:
                await Way(engine)(requests.get, f"{scheme}://127.0.0.1:1/", timeout=500)
            # A connection of an older urllib3 says where it is kept, and not where it leads.
            kept = r"<urllib3\.connection\.(\w+) object at 0x\w+>"
            text = re.sub(kept, r"\1(host='127.0.0.1', port=1)", str(raised.value))
            texts.append(text.replace('"', "'"))
        assert texts[0] == texts[1]
        assert f"{scheme.upper()}ConnectionPool(host='127.0.0.1', port=1)" in texts[0]

    @everywhere
    async def test_the_exception_knows_what_stock_s_knows(self, engine: str | None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        with pytest.raises(requests.ConnectionError) as raised:
            await Way(engine)(requests.get, f"http://127.0.0.1:{port}/", timeout=500)
        reason = raised.value.args[0].reason
        assert isinstance(reason, urllib3.exceptions.NewConnectionError)
        with pytest.raises(requests.ConnectionError) as raised:
            await Way(engine)(requests.get, "http://no-such-name.invalid/", timeout=500)
        reason = raised.value.args[0].reason
        assert isinstance(reason, urllib3.exceptions.NameResolutionError)


def iter_until_it_breaks(answer: requests.Response, came: list[bytes]) -> Iterator[bytes]:
    for piece in answer.iter_content(2):
        came.append(piece)
    yield from ()


class TestWhatComesWithIt:
    @everywhere
    async def test_the_version_the_reason_and_the_headers(self, engine: str | None) -> None:
        head = b"HTTP/1.0 203 So They Say\r\nX-One: 1\r\nX-One: 2\r\nX-None:\r\n\r\n"
        async with at(answers(head)) as url:
            answer = await Way(engine)(requests.get, url, timeout=500)
        raw = answer.raw
        assert (raw.version, raw.status, raw.reason) == (10, 203, "So They Say")
        assert raw.headers.getlist("x-one") == ["1", "2"]
        assert answer.headers["X-None"] == ""

    @everywhere
    async def test_a_reason_that_is_not_given(self, engine: str | None) -> None:
        async with at(answers(b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n")) as url:
            answer = await Way(engine)(requests.get, url, timeout=500)
        assert (answer.status_code, answer.reason) == (200, "")

    @everywhere
    async def test_a_continue_is_not_the_answer(self, engine: str | None) -> None:
        async with at(answers(b"HTTP/1.1 100 Continue\r\n\r\n", EMPTY)) as url:
            answer = await Way(engine)(requests.post, url, data="body", timeout=500)
        assert answer.status_code == 200

    @everywhere
    async def test_an_empty_header_and_a_path_of_one_s_own_arrive(
        self, engine: str | None
    ) -> None:
        seen = list[bytes]()

        async def talk(stream: IOStream) -> None:
            seen.append(await asked(stream))
            await stream.write(EMPTY)

        def code() -> None:
            request = requests.Request("GET", url, headers={"X-Empty": ""}).prepare()
            request.url = f"{url}a/../b?"
            with requests.Session() as session:
                session.send(request, timeout=500)

        async with at(talk) as url:
            await Way(engine)(code)
        path = seen[0].split()[1]
        assert path.rstrip(b"?") == b"/a/../b"
        assert b"x-empty:" in seen[0].lower()

    @everywhere
    async def test_a_header_may_be_left_out(self, engine: str | None) -> None:
        seen = list[bytes]()

        async def talk(stream: IOStream) -> None:
            seen.append((await asked(stream)).lower())
            await stream.write(EMPTY)

        headers = {"User-Agent": SKIP_HEADER, "Accept-Encoding": SKIP_HEADER}
        async with at(talk) as url:
            await Way(engine)(requests.get, url, headers=headers, timeout=500)
        assert b"user-agent" not in seen[0]
        assert b"accept-encoding" not in seen[0]

    @in_tornado
    async def test_a_subclass_may_add_headers(self, engine: str) -> None:
        seen = list[bytes]()

        async def talk(stream: IOStream) -> None:
            seen.append(await asked(stream))
            await stream.write(EMPTY)

        class Mine(TornadoAdapter):
            def add_headers(self, request: requests.PreparedRequest, **kwargs: Any) -> None:
                request.headers["X-Stream"] = str(kwargs["stream"])

        def code() -> None:
            with requests.Session() as session:
                session.mount("http://", Mine(engine))
                session.get(url, timeout=500)

        async with at(talk) as url:
            await Way(engine)(code)
        assert b"X-Stream: False\r\n" in seen[0]

    @in_tornado
    async def test_what_a_client_has_no_place_for_is_refused(self, engine: str) -> None:
        class Mine(TornadoAdapter):
            def init_poolmanager(self, *args: Any, **options: Any) -> None:
                super().init_poolmanager(*args, **options, source_address=("127.0.0.1", 0))

        def code() -> None:
            with requests.Session() as session:
                session.mount("http://", Mine(engine))
                session.get(url, timeout=500)

        async with at(answers(EMPTY)) as url:
            with pytest.raises(
                requests.ConnectionError, match=r'source_address: .* "sockets" has'
            ):
                await Way(engine)(code)
            await asyncio.to_thread(code)


class Upload:
    """Reads a request, and keeps what it was."""

    def __init__(self, answer: bytes = EMPTY) -> None:
        self.answer = answer
        self.head = b""
        self.body = list[bytes]()
        self.came = asyncio.Event()

    async def __call__(self, stream: IOStream) -> None:
        self.head = (await asked(stream)).lower()
        if b"transfer-encoding: chunked" in self.head:
            while piece := await chunk(stream):
                self.body.append(piece)
                self.came.set()
        elif b"content-length: " in self.head:
            length = int(self.head.partition(b"content-length: ")[2].split()[0])
            self.body.append(await stream.read_bytes(length))
        await stream.write(self.answer)


class TestBodies:
    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "GET", "PROPFIND"])
    @everywhere
    async def test_a_generator_goes_in_chunks(self, engine: str | None, method: str) -> None:
        upload = Upload()
        async with at(upload) as url:
            data = (piece for piece in (b"one", "two", b"", b"three"))
            await Way(engine)(requests.request, method, url, data=data, timeout=500)
        assert b"".join(upload.body) == b"onetwothree"
        assert b"content-length" not in upload.head

    @pytest.mark.parametrize("size", [0, 100, 3 * MEGABYTE])
    @pytest.mark.parametrize("method", ["POST", "DELETE", "GET"])
    @everywhere
    async def test_a_file_goes_with_its_length(
        self, engine: str | None, method: str, size: int
    ) -> None:
        upload, content = Upload(), os.urandom(size)
        async with at(upload) as url:
            file = io.BytesIO(b"passed over" + content)
            file.seek(11)
            await Way(engine)(requests.request, method, url, data=file, timeout=500)
        assert b"".join(upload.body) == content
        if size:
            assert b"content-length: %d\r\n" % size in upload.head

    @pytest.mark.parametrize("length", ["known", "unknown"])
    @everywhere
    async def test_a_head_may_have_a_body(self, engine: str | None, length: str) -> None:
        upload = Upload(EMPTY.replace(b": 0", b": 1000"))
        async with at(upload) as url:
            data: Any = b"body" if length == "known" else iter([b"body"])
            answer = await Way(engine)(requests.head, url, data=data, timeout=500)
        assert b"".join(upload.body) == b"body"
        assert (answer.headers["Content-Length"], answer.content) == ("1000", b"")

    @everywhere
    async def test_that_it_goes_in_chunks_may_be_said(self, engine: str | None) -> None:
        upload = Upload()
        async with at(upload) as url:
            headers = {"Transfer-Encoding": "chunked"}
            await Way(engine)(
                requests.post, url, data=iter([b"one"]), headers=headers, timeout=5
            )
        assert upload.body == [b"one"]
        assert upload.head.count(b"transfer-encoding") == 1

    @everywhere
    async def test_that_it_goes_in_chunks_need_not_be_said(self, engine: str | None) -> None:
        def code() -> None:
            request = requests.Request("POST", url, data=iter([b"one"])).prepare()
            del request.headers["Transfer-Encoding"]
            with requests.Session() as session:
                session.send(request, timeout=500)

        upload = Upload()
        async with at(upload) as url:
            await Way(engine)(code)
        assert upload.body == [b"one"]
        assert upload.head.count(b"transfer-encoding") == 1

    @everywhere
    async def test_a_generator_is_asked_for_no_more_than_is_sent(
        self, engine: str | None
    ) -> None:
        """It gives its second piece when the server has the first."""
        way, upload = Way(engine), Upload()

        def body() -> Iterator[bytes]:
            yield b"one"
            way.wait(asyncio.wait_for(upload.came.wait(), 500))
            yield b"two"

        async with at(upload) as url:
            await way(requests.post, url, data=body(), timeout=500)
        assert upload.body == [b"one", b"two"]

    @everywhere
    async def test_an_answer_before_the_end_of_the_body_does_not_cut_it(
        self, engine: str | None
    ) -> None:
        way, came = Way(engine), list[bytes]()
        answered = asyncio.Event()

        async def talk(stream: IOStream) -> None:
            await asked(stream)
            came.append(await chunk(stream))
            await stream.write(OK + b"Content-Length: 2\r\n\r\n")
            answered.set()
            while piece := await chunk(stream):
                came.append(piece)
            await stream.write(b"hi")

        def body() -> Iterator[bytes]:
            yield b"one"
            way.wait(asyncio.wait_for(answered.wait(), 500))
            yield b"two"
            yield b"three"

        async with at(talk) as url:
            answer = await way(requests.post, url, data=body(), timeout=500)
        assert answer.text == "hi"
        assert came == [b"one", b"two", b"three"]

    @pytest.mark.parametrize(
        ("engine", "length"), [("simple", "2"), ("simple", "5"), ("curl", "5")]
    )
    async def test_a_length_that_is_not_that_of_the_body_is_an_error(
        self, engine: str, length: str
    ) -> None:
        """requests sends what does not fit, and leaves it to the server what to make of it."""

        def code() -> None:
            with requests.Session() as session:
                request = session.prepare_request(requests.Request("POST", url, data=b"abc"))
                request.headers["Content-Length"] = length
                session.send(request, timeout=500)

        async with at(answers(hang=True)) as url:
            with pytest.raises(requests.ConnectionError):
                await Way(engine)(code)

    @everywhere
    async def test_a_generator_may_use_requests(self, engine: str | None) -> None:
        upload = Upload()
        async with at(upload) as url, at(answers(OK + b"Content-Length: 2\r\n\r\nhi")) as other:

            def body() -> Iterator[bytes]:
                for _ in range(2):
                    yield requests.get(other, timeout=500).content

            await Way(engine)(requests.post, url, data=body(), timeout=500)
        assert upload.body == [b"hi", b"hi"]

    @everywhere
    async def test_an_exception_of_the_generator_ends_the_request(
        self, engine: str | None
    ) -> None:
        def body() -> Iterator[bytes]:
            yield b"one"
            raise KeyError("two")

        async with serving(Upload()) as server:
            url = f"http://127.0.0.1:{server.port}/"
            with pytest.raises(KeyError, match="two"):
                await Way(engine)(requests.post, url, data=body(), timeout=500)
            gc.collect()
            await server.gone.wait()

    @everywhere
    async def test_a_large_body_is_never_held_twice(self, engine: str | None) -> None:
        """A generator is not far ahead of what the server has taken."""
        taken = given = 0

        async def talk(stream: IOStream) -> None:
            nonlocal taken
            await asked(stream)
            while piece := await chunk(stream):
                taken += len(piece)
            await stream.write(EMPTY)

        def body() -> Iterator[bytes]:
            nonlocal given
            for _ in range(60):
                assert given - taken < 32 * MEGABYTE
                given += MEGABYTE
                yield bytes(MEGABYTE)

        async with at(talk) as url:
            await Way(engine)(requests.post, url, data=body(), timeout=500)
        assert taken == 60 * MEGABYTE


# -- TLS ---------------------------------------------------------------------------------------


class Trust:
    """A certificate authority, and files with what it has issued."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = trustme.CA()
        self.other = trustme.CA()
        self.ca.cert_pem.write_to_path(folder / "ca.pem")
        self.other.cert_pem.write_to_path(folder / "other.pem")
        client = self.ca.issue_cert("client.example")
        client.private_key_and_cert_chain_pem.write_to_path(folder / "client.pem")
        client.private_key_pem.write_to_path(folder / "client.key")
        client.cert_chain_pems[0].write_to_path(folder / "client.crt")

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def server(self, name: str, client: bool = False, **options: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(name, **options).configure_cert(context)
        if client:
            self.ca.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@pytest.fixture(scope="session")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    return Trust(tmp_path_factory.mktemp("trust"))


@contextlib.asynccontextmanager
async def at_tls(context: ssl.SSLContext) -> AsyncIterator[str]:
    talk = answers(OK + b"Content-Length: 2\r\n\r\nhi")
    async with serving(talk, ssl_options=context) as server:
        yield f"https://127.0.0.1:{server.port}/"


class TestTLS:
    @everywhere
    async def test_a_certificate_of_an_authority_of_one_s_own(
        self, engine: str | None, trust: Trust
    ) -> None:
        async with at_tls(trust.server("127.0.0.1")) as url:
            answer = await Way(engine)(requests.get, url, verify=trust.path("ca.pem"))
        assert answer.text == "hi"

    @everywhere
    async def test_a_folder_of_authorities(
        self, engine: str | None, trust: Trust, tmp_path: Path
    ) -> None:
        openssl = shutil.which("openssl")
        if not openssl:
            pytest.skip("openssl names the files in such a folder, and is not here")
        for name in ("ca", "other"):
            (tmp_path / name).mkdir()
            shutil.copy(trust.path(f"{name}.pem"), tmp_path / name)
            subprocess.run([openssl, "rehash", tmp_path / name], check=True)
        async with at_tls(trust.server("127.0.0.1")) as url:
            answer = await Way(engine)(requests.get, url, verify=str(tmp_path / "ca"))
            assert answer.text == "hi"
            with pytest.raises(requests.exceptions.SSLError):
                await Way(engine)(requests.get, url, verify=str(tmp_path / "other"))

    @pytest.mark.parametrize("wrong", ["authority", "default", "host", "expired"])
    @everywhere
    async def test_a_certificate_that_is_wrong(
        self, engine: str | None, trust: Trust, wrong: str
    ) -> None:
        verify: str | bool = trust.path("ca.pem")
        host, options = "127.0.0.1", dict[str, Any]()
        if wrong == "authority":
            verify = trust.path("other.pem")
        elif wrong == "default":
            verify = True
        elif wrong == "host":
            host = "other.example"
        else:
            from datetime import UTC, datetime

            options["not_after"] = datetime(2020, 1, 1, tzinfo=UTC)
        async with at_tls(trust.server(host, **options)) as url:
            with pytest.raises(requests.exceptions.SSLError) as raised:
                await Way(engine)(requests.get, url, verify=verify, timeout=500)
        assert isinstance(raised.value.args[0].reason, urllib3.exceptions.SSLError)

    @everywhere
    async def test_whom_to_trust_is_asked_for_each_request(
        self, engine: str | None, trust: Trust
    ) -> None:
        def code() -> None:
            with requests.Session() as session:
                for _ in range(2):
                    assert session.get(url, verify=trust.path("ca.pem")).text == "hi"
                    with pytest.raises(requests.exceptions.SSLError):
                        session.get(url, verify=trust.path("other.pem"))

        async with at_tls(trust.server("127.0.0.1")) as url:
            await Way(engine)(code)

    @everywhere
    async def test_it_need_not_be_looked_at_but_that_is_warned_of(
        self, engine: str | None, trust: Trust
    ) -> None:
        async with at_tls(trust.server("other.example")) as url:
            with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
                answer = await Way(engine)(requests.get, url, verify=False)
        assert answer.text == "hi"

    @pytest.mark.parametrize("parts", ["one file", "two files", "none"])
    @everywhere
    async def test_a_certificate_of_the_client(
        self, engine: str | None, trust: Trust, parts: str
    ) -> None:
        cert: Any = {
            "one file": trust.path("client.pem"),
            "two files": (trust.path("client.crt"), trust.path("client.key")),
            "none": None,
        }[parts]
        async with at_tls(trust.server("127.0.0.1", client=True)) as url:
            ask = Way(engine)(
                requests.get, url, verify=trust.path("ca.pem"), cert=cert, timeout=5
            )
            if cert:
                assert (await ask).text == "hi"
            else:
                with pytest.raises(requests.ConnectionError):
                    await ask

    @everywhere
    async def test_a_key_of_the_client_that_has_a_password(
        self, engine: str | None, trust: Trust, tmp_path: Path
    ) -> None:
        key = load_pem_private_key(Path(trust.path("client.key")).read_bytes(), None)
        (tmp_path / "client.key").write_bytes(
            key.private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
            )
        )

        def code(password: str) -> str:
            with requests.Session() as session:
                adapter = session.get_adapter(url)
                assert isinstance(adapter, HTTPAdapter)
                adapter.poolmanager.connection_pool_kw["key_password"] = password
                cert = (trust.path("client.crt"), str(tmp_path / "client.key"))
                return session.get(
                    url, verify=trust.path("ca.pem"), cert=cert, timeout=500
                ).text

        async with at_tls(trust.server("127.0.0.1", client=True)) as url:
            assert await Way(engine)(code, "secret") == "hi"
            with pytest.raises((requests.ConnectionError, ssl.SSLError)):
                await Way(engine)(code, "wrong")

    @engines(None, "simple", "sockets")
    async def test_a_context_of_one_s_own(self, engine: str | None, trust: Trust) -> None:
        context = ssl.create_default_context()
        trust.ca.configure_trust(context)
        before = context.sslsocket_class

        def code() -> list[str]:
            with requests.Session() as session:
                adapter = session.get_adapter(url)
                assert isinstance(adapter, HTTPAdapter)
                adapter.poolmanager.connection_pool_kw["ssl_context"] = context
                return [session.get(url, timeout=500).text for _ in range(2)]

        async with at_tls(trust.server("127.0.0.1")) as url:
            assert await Way(engine)(code) == ["hi", "hi"]
        assert context.sslsocket_class is before

    @engines(None, "simple", "sockets")
    async def test_a_file_of_authorities_that_changes(
        self, engine: str | None, trust: Trust, tmp_path: Path
    ) -> None:
        def code() -> None:
            def ask() -> str:
                return session.get(url, verify=str(file), timeout=500).text

            with requests.Session() as session:
                session.headers["Connection"] = "close"
                shutil.copy(trust.path("ca.pem"), file)
                assert [ask(), ask()] == ["hi", "hi"]
                shutil.copy(trust.path("other.pem"), file)
                os.utime(file, (1, 1))
                with pytest.raises(requests.exceptions.SSLError):
                    ask()

        file = tmp_path / "authorities.pem"
        async with at_tls(trust.server("127.0.0.1")) as url:
            await Way(engine)(code)

    @everywhere
    async def test_files_that_are_not_there(self, engine: str | None) -> None:
        for options in ({"verify": "no.pem"}, {"cert": "no.pem"}, {"cert": ("no.pem", "no")}):
            with pytest.raises(OSError, match=r"invalid path: no\.pem"):
                await Way(engine)(requests.get, "https://127.0.0.1/", **options)


# -- proxies -----------------------------------------------------------------------------------


async def relay(one: IOStream, other: IOStream) -> None:
    """Carry bytes in both directions until one side has gone."""

    async def carry(source: IOStream, target: IOStream) -> None:
        with contextlib.suppress(StreamClosedError):
            while True:
                await target.write(await source.read_bytes(65536, partial=True))
        target.close()

    await asyncio.gather(carry(one, other), carry(other, one))


async def connected(host: str, port: int) -> IOStream:
    stream = IOStream(socket.socket())
    await stream.connect((host, port))
    return stream


class HTTPProxy:
    """Passes requests on, or tunnels, if the password is right."""

    def __init__(self, password: bytes = b"") -> None:
        self.password = password
        self.seen = list[bytes]()

    async def __call__(self, stream: IOStream) -> None:
        head = await asked(stream)
        self.seen.append(head)
        right = b"Proxy-Authorization: Basic " + base64.b64encode(self.password)
        if self.password and right not in head:
            await stream.write(
                b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
            )
            return
        method, target, _ = head.split(b" ", 2)
        if method == b"CONNECT":
            host, _, port = target.partition(b":")
            other = await connected(host.decode(), int(port))
            await stream.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            host, _, port = target.split(b"/")[2].partition(b":")
            other = await connected(host.decode(), int(port))
            await other.write(head)
        await relay(stream, other)


class SOCKSProxy:
    """A proxy for SOCKS 4, 4a and 5; names are all this machine's."""

    def __init__(self, login: bytes = b"") -> None:
        self.login = login
        self.hosts = list[bytes]()

    async def __call__(self, stream: IOStream) -> None:
        version = await stream.read_bytes(1)
        await (self.five(stream) if version == b"\x05" else self.four(stream))

    async def four(self, stream: IOStream) -> None:
        _, port, address = await stream.read_bytes(1), *await self.where(stream)
        await stream.read_until(b"\0")
        if address.startswith(b"\0\0\0"):
            self.hosts.append((await stream.read_until(b"\0"))[:-1])
        else:
            self.hosts.append(socket.inet_ntoa(address).encode())
        other = await connected("127.0.0.1", port)
        await stream.write(b"\0\x5a" + bytes(6))
        await relay(stream, other)

    async def where(self, stream: IOStream) -> tuple[int, bytes]:
        port = int.from_bytes(await stream.read_bytes(2), "big")
        return port, await stream.read_bytes(4)

    async def five(self, stream: IOStream) -> None:
        await stream.read_bytes((await stream.read_bytes(1))[0])
        await stream.write(b"\x05\x02" if self.login else b"\x05\0")
        if self.login:
            await stream.read_bytes(1)
            name = await stream.read_bytes((await stream.read_bytes(1))[0])
            password = await stream.read_bytes((await stream.read_bytes(1))[0])
            right = name + b":" + password == self.login
            await stream.write(b"\x01\0" if right else b"\x01\x01")
            if not right:
                return
        kind = (await stream.read_bytes(4))[3]
        if kind == 1:
            self.hosts.append(socket.inet_ntoa(await stream.read_bytes(4)).encode())
        else:
            self.hosts.append(await stream.read_bytes((await stream.read_bytes(1))[0]))
        port = int.from_bytes(await stream.read_bytes(2), "big")
        other = await connected("127.0.0.1", port)
        await stream.write(b"\x05\0\0\x01" + bytes(6))
        await relay(stream, other)


def through(scheme: str, server: Server, login: str = "") -> dict[str, str]:
    proxy = f"{scheme}://{login}127.0.0.1:{server.port}"
    return {"http": proxy, "https": proxy}


class TestHTTPProxies:
    @engines(None, "curl", "sockets")
    async def test_a_request_goes_through(self, engine: str | None) -> None:
        proxy = HTTPProxy(b"ada:s:3")
        async with (
            serving(proxy) as server,
            at(answers(OK + b"Content-Length: 2\r\n\r\nhi")) as url,
        ):
            proxies = through("http", server, "ada:s%3A3@")
            answer = await Way(engine)(requests.get, url, proxies=proxies, timeout=500)
        assert answer.text == "hi"
        assert proxy.seen[0].startswith(b"GET " + url.encode())
        assert b"Proxy-Connection" not in proxy.seen[0]

    @engines(None, "curl", "sockets")
    async def test_tls_goes_through_a_tunnel(self, engine: str | None, trust: Trust) -> None:
        proxy = HTTPProxy(b"ada:secret")
        async with serving(proxy) as server, at_tls(trust.server("127.0.0.1")) as url:
            answer = await Way(engine)(
                requests.get,
                url,
                proxies=through("http", server, "ada:secret@"),
                verify=trust.path("ca.pem"),
                timeout=500,
            )
            assert answer.text == "hi"
            assert answer.headers["Content-Length"] == "2"
            assert proxy.seen[0].startswith(b"CONNECT 127.0.0.1:")
            with pytest.raises(requests.exceptions.SSLError):
                await Way(engine)(
                    requests.get, url, proxies=through("http", server, "ada:secret@"), timeout=5
                )

    @engines(None, "curl", "sockets")
    async def test_the_way_to_the_proxy_may_have_tls_too(
        self, engine: str | None, trust: Trust
    ) -> None:
        proxy = HTTPProxy()
        context = trust.server("127.0.0.1")
        async with serving(proxy, ssl_options=context) as server, at_tls(context) as url:
            ask = Way(engine)
            options: dict[str, Any] = {"proxies": through("https", server), "timeout": 500}
            # Each answer closes the connection, and the next one is made by the same object.
            session = requests.Session()
            if engine:
                setup_session(session, engine=engine)
            for _ in range(2):
                answer = await ask(session.get, url, verify=trust.path("ca.pem"), **options)
                assert answer.text == "hi"
            session.close()
            with pytest.raises(requests.exceptions.ProxyError, match=r"(?i)certificate"):
                await ask(requests.get, url, verify=trust.path("other.pem"), **options)
        assert proxy.seen[0].startswith(b"CONNECT ")

    @engines(None, "curl", "sockets")
    async def test_the_proxy_refuses(self, engine: str | None) -> None:
        async with serving(HTTPProxy(b"ada:secret")) as server:
            proxies = through("http", server)
            way = Way(engine)
            answer = await way(requests.get, "http://x.example/", proxies=proxies, timeout=500)
            assert answer.status_code == 407
            with pytest.raises(requests.exceptions.ProxyError):
                await way(requests.get, "https://x.example/", proxies=proxies, timeout=500)

    @engines(None, "curl", "sockets")
    async def test_there_is_no_proxy(self, engine: str | None) -> None:
        async with serving(HTTPProxy()) as server:
            proxies = through("http", server)
        for url in ("http://x.example/", "https://x.example/"):
            with pytest.raises(requests.exceptions.ProxyError):
                await Way(engine)(requests.get, url, proxies=proxies, timeout=500)

    async def test_simple_names_the_engines_that_can(self) -> None:
        async with serving(HTTPProxy()) as server:
            with pytest.raises(requests.exceptions.ProxyError, match='"curl" and "sockets"'):
                await Way("simple")(
                    requests.get, "http://x.example/", proxies=through("http", server)
                )

    @everywhere
    async def test_an_address_of_a_proxy_that_is_none(self, engine: str | None) -> None:
        with pytest.raises(requests.exceptions.InvalidProxyURL):
            await Way(engine)(
                requests.get, "http://x.example/", proxies={"http": "http:///x"}, timeout=5
            )


class TestSOCKSProxies:
    @pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
    @pytest.mark.parametrize("scheme", ["socks4", "socks4a", "socks5", "socks5h"])
    @everywhere
    async def test_a_request_goes_through(
        self, engine: str | None, scheme: str, secure: bool, trust: Trust
    ) -> None:
        proxy = SOCKSProxy()
        far = scheme in ("socks4a", "socks5h")
        host = "no-such-name.invalid" if far else "127.0.0.1"
        talk = answers(OK + b"Content-Length: 2\r\n\r\nhi")
        tls = trust.server(host) if secure else None
        async with serving(proxy) as server, serving(talk, ssl_options=tls) as target:
            answer = await Way(engine)(
                requests.get,
                f"{'https' if secure else 'http'}://{host}:{target.port}/",
                proxies=through(scheme, server),
                verify=trust.path("ca.pem"),
                timeout=500,
            )
        assert answer.text == "hi"
        assert proxy.hosts == [host.encode()]

    @in_tornado
    async def test_nobody_shakes_hands_behind_it(self, engine: str) -> None:
        async def talk(stream: IOStream) -> None:
            await asyncio.Event().wait()

        def code(seconds: float) -> None:
            url = f"https://127.0.0.1:{target.port}/"
            requests.get(url, proxies=through("socks5", server), timeout=seconds)

        async with serving(SOCKSProxy()) as server, serving(talk) as target:
            await too_late(engine, code, requests.ReadTimeout)

    @everywhere
    async def test_a_request_that_is_cancelled_behind_it(self, engine: str | None) -> None:
        if engine is None:
            return
        came = asyncio.Event()

        async def talk(stream: IOStream) -> None:
            await asked(stream)
            came.set()
            await stream.read_until_close()

        async with serving(SOCKSProxy()) as server, serving(talk) as target:
            url = f"http://127.0.0.1:{target.port}/"
            ask = Way(engine)(requests.get, url, proxies=through("socks5", server), timeout=500)
            task = asyncio.create_task(ask)
            await came.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await target.gone.wait()

    @engines("simple", "curl", "sockets")
    async def test_a_request_on_a_thread_goes_through(self, engine: str) -> None:
        async with (
            serving(SOCKSProxy()) as server,
            at(answers(OK + b"Content-Length: 2\r\n\r\nhi")) as url,
        ):
            with setup_session(engine=engine):
                answer = await asyncio.to_thread(
                    requests.get, url, proxies=through("socks5", server), timeout=5
                )
        assert answer.text == "hi"

    @everywhere
    async def test_with_a_password(self, engine: str | None) -> None:
        talk = answers(OK + b"Content-Length: 2\r\n\r\nhi")
        async with serving(SOCKSProxy(b"ada:secret")) as server, at(talk) as url:
            way = Way(engine)
            right = through("socks5", server, "ada:secret@")
            assert (await way(requests.get, url, proxies=right, timeout=500)).text == "hi"
            wrong = through("socks5", server, "ada:other@")
            with pytest.raises(requests.ConnectionError):
                await way(requests.get, url, proxies=wrong, timeout=500)

    @everywhere
    async def test_there_is_no_proxy(self, engine: str | None) -> None:
        async with serving(SOCKSProxy()) as server:
            proxies = through("socks5h", server)
        with pytest.raises(requests.ConnectionError) as raised:
            await Way(engine)(requests.get, "http://x.example/", proxies=proxies, timeout=500)
        assert type(raised.value) is requests.ConnectionError


# -- where it is used --------------------------------------------------------------------------


class TestPlaces:
    @in_tornado
    async def test_one_session_on_two_loops_and_a_thread(self, engine: str) -> None:
        session = requests.Session()
        setup_session(session, engine=engine)

        def ask() -> str:
            return session.get(url, timeout=500).text

        async with at(answers(OK + b"Content-Length: 2\r\n\r\nhi")) as url:
            texts = await asyncio.gather(
                tornalet.run(ask),
                asyncio.to_thread(ask),
                asyncio.to_thread(lambda: asyncio.run(tornalet.run(ask))),
                tornalet.run(ask),
            )
        assert texts == ["hi"] * 4

    def test_an_engine_that_there_is_not(self) -> None:
        with pytest.raises(ValueError, match="simple, curl, not 'steam'"):
            TornadoAdapter("steam")

    @in_tornado
    async def test_after_the_setup_a_bad_address_is_what_it_is_to_stock(
        self, engine: str
    ) -> None:
        with setup_session(engine=engine):
            session = requests.Session()
        for ask in (session.get, requests.Session().get):
            with pytest.raises(urllib3.exceptions.LocationParseError):
                await tornalet.run(ask, "http://a..b/", timeout=500)

    @in_tornado
    async def test_after_the_setup_it_is_stock(self, engine: str) -> None:
        session = requests.Session()
        with setup_session(session, engine=engine):
            adapter = session.get_adapter("http://127.0.0.1/")
        assert type(session.get_adapter("http://127.0.0.1/")) is HTTPAdapter
        session.mount("http://", adapter)

        def ask() -> str:
            return session.get(url, timeout=500).text

        async with at(answers(OK + b"Content-Length: 2\r\n\r\nhi")) as url:
            assert await asyncio.to_thread(ask) == "hi"

    @in_tornado
    async def test_no_descriptor_is_left(
        self, engine: str, open_descriptors: Callable[[], int]
    ) -> None:
        def code() -> None:
            for _ in range(3):
                requests.get(url, stream=True, timeout=500).close()

        async with serving(answers(OK + b"Content-Length: 8\r\n\r\nhalf", hang=True)) as server:
            url = f"http://127.0.0.1:{server.port}/"
            await Way(engine)(code)
            while server.talks:
                await asyncio.sleep(0)
            before = open_descriptors()
            await Way(engine)(code)
            while server.talks:
                await asyncio.sleep(0)
            assert open_descriptors() == before
