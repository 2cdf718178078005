"""Requests keeps its promises when it waits for Tornado; stock requests is the measure."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import gzip
import io
import itertools
import os
import pickle
import socket
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, ParamSpec, TypeVar

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpserver import TCPServer
from tornado.web import Application, HTTPError, RequestHandler

from benchmarks import _faults
from loopfilm import on_own_loop, running, running_apart
from stormy_demo import bobs_big_data
from stormy_demo.backend import Backend
from tornalet import run, tornalet
from trequests import ENGINES, SocketsAdapter, TornadoAdapter, setup_session

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]

P = ParamSpec("P")
T = TypeVar("T")

FORM = "application/x-www-form-urlencoded"


class Way:
    """A way to run plain code that uses requests: as ever, or politely on the loop."""

    def __init__(self, engine: str | None) -> None:
        self.engine = engine

    async def __call__(self, code: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self.engine is None:
            return await asyncio.to_thread(code, *args, **kwargs)
        with setup_session(engine=self.engine):
            return await run(code, *args, **kwargs)


def need_curl() -> None:
    try:
        import pycurl  # noqa: F401
    except ImportError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"the curl engine cannot be used here: {error}")


@pytest.fixture(
    params=[None, "simple", "curl", "sockets"], ids=["stock", "simple", "curl", "sockets"]
)
def way(request: pytest.FixtureRequest) -> Way:
    if request.param == "curl":
        need_curl()
    return Way(request.param)


@pytest.fixture(params=["simple", "curl", "sockets"])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "curl":
        need_curl()
    return str(request.param)


@pytest.fixture(params=["simple", "curl"])
def client(request: pytest.FixtureRequest) -> str:
    if request.param == "curl":
        need_curl()
    return str(request.param)


class Echo(RequestHandler):
    """Tells what came."""

    SUPPORTED_METHODS = (*RequestHandler.SUPPORTED_METHODS, "PROPFIND")

    def answer(self) -> None:
        self.set_header("X-Method", str(self.request.method))
        self.write(
            {
                "method": self.request.method,
                "uri": self.request.uri,
                "headers": [[name.lower(), v] for name, v in self.request.headers.get_all()],
                "body": self.request.body.decode("latin-1"),
            }
        )

    get = post = put = patch = delete = options = propfind = answer

    def head(self) -> None:
        self.set_header("Content-Length", "1000")
        self.set_header("X-Method", "HEAD")


class Status(RequestHandler):
    def get(self, code: str) -> None:
        self.set_status(int(code), self.get_argument("reason", None))
        if code not in ("204", "304"):
            self.write("a body")


class Redirect(RequestHandler):
    def answer(self) -> None:
        self.set_cookie("redirected", "yes")
        self.redirect(
            self.get_argument("to"), status=int(self.get_query_argument("code", "302"))
        )

    get = post = put = answer


class Cookies(RequestHandler):
    def get(self) -> None:
        for name, value in self.request.query_arguments.items():
            self.set_cookie(name, value[0].decode())
        self.write({name: morsel.value for name, morsel in self.cookies.items()})


class Zipped(RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Encoding", "gzip")
        self.set_header("Content-Type", "text/plain; charset=latin-1")
        self.write(gzip.compress("Zoë".encode("latin-1")))


class Lines(RequestHandler):
    async def get(self) -> None:
        for n in range(3):
            self.write(f"line {n}\n")
            await self.flush()


class Secret(RequestHandler):
    def get(self) -> None:
        if self.request.headers.get("Authorization") != "Basic YWRhOnM6w6k=":
            raise HTTPError(401)
        self.write("welcome")


class Hangs(RequestHandler):
    async def get(self) -> None:
        self.asked = self.settings["asked"].append(self.request.uri)
        await asyncio.Event().wait()


def site() -> Application:
    return Application(
        [
            ("/echo.*", Echo),
            (r"/status/(\d+)", Status),
            ("/redirect", Redirect),
            ("/cookies", Cookies),
            ("/zipped", Zipped),
            ("/lines", Lines),
            ("/secret", Secret),
            ("/hangs", Hangs),
        ],
        asked=[],
    )


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[str]:
    async with running(site()) as url:
        yield url


class Raw(TCPServer):
    """Sends these bytes, whatever was asked, and then hangs up or hangs."""

    def __init__(self, answer: bytes, hang: bool = False) -> None:
        super().__init__()
        self.answer = answer
        self.hang = hang

    async def handle_stream(self, stream: IOStream, address: tuple[str, int]) -> None:
        with contextlib.suppress(StreamClosedError):
            await stream.read_until(b"\r\n\r\n")
            await stream.write(self.answer)
            if self.hang:
                await stream.read_until_close()
        stream.close()


@contextlib.asynccontextmanager
async def raw(answer: bytes, hang: bool = False) -> AsyncIterator[str]:
    server = Raw(answer, hang)
    server.listen(0, "127.0.0.1")
    try:
        yield f"http://127.0.0.1:{next(iter(server._sockets.values())).getsockname()[1]}"
    finally:
        server.stop()


def header(answer: requests.Response, name: str) -> list[str]:
    """Return the values with which a header reached the server."""
    return [value for n, value in answer.json()["headers"] if n == name]


def multipart() -> Iterator[bytes]:
    yield b"one "
    yield b"two"


class TestAsking:
    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    async def test_each_method_arrives(self, way: Way, method: str) -> None:
        async with served() as url:
            answer = await way(requests.request, method, f"{url}/echo", timeout=500)
        assert answer.json()["method"] == method
        assert header(answer, "content-type") == []
        assert header(answer, "transfer-encoding") == []
        expected = [] if method == "GET" else ["0"]
        assert header(answer, "content-length") == expected

    async def test_an_unusual_method_arrives(self, way: Way) -> None:
        async with served() as url:
            answer = await way(requests.request, "PROPFIND", f"{url}/echo", timeout=500)
        assert answer.json()["method"] == "PROPFIND"

    async def test_parameters_arrive(self, way: Way) -> None:
        async with served() as url:
            answer = await way(
                requests.get,
                f"{url}/echo a/ö?a=1#fragment",
                params={"b": ["2", "&é"]},
                timeout=500,
            )
        assert answer.json()["uri"] == "/echo%20a/%C3%B6?a=1&b=2&b=%26%C3%A9"
        assert answer.url == f"{url}/echo%20a/%C3%B6?a=1&b=2&b=%26%C3%A9#fragment"

    @pytest.mark.parametrize(
        ("body", "content_type", "arrives"),
        [
            ({"data": {"foo": "bar", "n": "é"}}, FORM, "foo=bar&n=%C3%A9"),
            ({"json": {"foo": ["bar"]}}, "application/json", '{"foo": ["bar"]}'),
            ({"data": b"\x00\xff"}, None, "\x00\xff"),
            ({"data": "text é"}, None, "text Ã©"),
            ({"data": b""}, None, ""),
            ({"data": bytearray(b"bytes")}, None, "bytes"),
            ({"data": lambda: multipart()}, None, "one two"),
            ({"data": lambda: iter(["one ", "two"])}, None, "one two"),
            ({"data": lambda: io.BytesIO(b"a file")}, None, "a file"),
            ({"data": lambda: io.StringIO("a file")}, None, "a file"),
        ],
        ids=[
            "form", "json", "bytes", "str", "empty", "bytearray", "generator", "iterator",
            "file", "text file",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
    async def test_a_body_arrives(
        self,
        way: Way,
        method: str,
        body: dict[str, Any],
        content_type: str | None,
        arrives: str,
    ) -> None:
        body = {name: made() if callable(made) else made for name, made in body.items()}
        async with served() as url:
            answer = await way(requests.request, method, f"{url}/echo", **body, timeout=500)
        assert answer.json()["method"] == method
        assert answer.json()["body"] == arrives
        assert header(answer, "content-type") == ([content_type] if content_type else [])

    async def test_a_text_file_arrives_whole(self, client: str) -> None:
        """Stock requests takes its length in characters for one in bytes."""
        async with served() as url:
            file = io.StringIO("Zoë")
            answer = await Way(client)(requests.post, f"{url}/echo", data=file, timeout=500)
        assert answer.json()["body"].encode("latin-1").decode() == "Zoë"

    async def test_files_arrive(self, way: Way) -> None:
        async with served() as url:
            files = {"f": ("name.txt", io.BytesIO(b"content"), "text/plain")}
            answer = await way(requests.post, f"{url}/echo", files=files, timeout=500)
        assert header(answer, "content-type")[0].startswith("multipart/form-data; boundary=")
        assert 'filename="name.txt"' in answer.json()["body"]

    async def test_headers_arrive_and_none_is_invented(self, way: Way) -> None:
        headers = {
            "X-Name": "Zoë",
            "X-Bytes": b"bytes",
            "Accept": "text/plain",
            "User-Agent": "me",
        }
        async with served() as url:
            answer = await way(requests.post, f"{url}/echo", headers=headers, timeout=500)
        sent = dict(answer.json()["headers"])
        for ours in ("connection", "host", "content-length"):
            sent.pop(ours, None)
        assert sent == {
            "x-name": "Zoë",
            "x-bytes": "bytes",
            "accept": "text/plain",
            "user-agent": "me",
            "accept-encoding": requests.utils.default_headers()["Accept-Encoding"],
        }

    async def test_a_header_that_is_not_latin_1_is_refused(self, way: Way) -> None:
        async with served() as url:
            with pytest.raises(UnicodeEncodeError):
                await way(requests.get, f"{url}/echo", headers={"X-Name": "小波"}, timeout=500)

    async def test_a_host_of_one_s_own_arrives(self, way: Way) -> None:
        async with served() as url:
            answer = await way(
                requests.get, f"{url}/echo", headers={"Host": "example.org"}, timeout=5
            )
        assert header(answer, "host") == ["example.org"]

    async def test_a_user_and_a_password_arrive(self, way: Way) -> None:
        async with served() as url:
            auth = ("ada", "s:é".encode())
            answer = await way(requests.get, f"{url}/secret", auth=auth, timeout=500)
            assert answer.text == "welcome"
            with_user = url.replace("//", "//ada:s%3A%C3%A9@")
            answer = await way(requests.get, f"{with_user}/secret", timeout=500)
            assert answer.status_code in (200, 401)
            assert (await way(requests.get, f"{url}/secret", timeout=500)).status_code == 401


class TestAnswers:
    async def test_the_status_and_its_reason(self, way: Way) -> None:
        async with served() as url:
            answer = await way(
                requests.get, f"{url}/status/418?reason=Short+and+Stout", timeout=5
            )
        assert (answer.status_code, answer.reason) == (418, "Short and Stout")
        assert not answer.ok
        assert answer.text == "a body"
        with pytest.raises(requests.HTTPError, match="418 Client Error: Short and Stout"):
            answer.raise_for_status()

    async def test_the_headers_and_none_that_is_invented(self, way: Way) -> None:
        async with raw(b"HTTP/1.1 200 OK\r\nX-One: 1\r\nx-two: 2\r\nX-Two: 3\r\n"
                       b"X-Name: Zo\xeb\r\nContent-Length: 2\r\n\r\nhi") as url:  # fmt: skip
            answer = await way(requests.get, url, timeout=500)
        assert {name.lower(): value for name, value in answer.headers.items()} == {
            "x-one": "1",
            "x-two": "2, 3",
            "x-name": "Zoë",
            "content-length": "2",
        }
        assert answer.headers["X-TWO"] == "2, 3"

    @pytest.mark.parametrize("code", [204, 304])
    async def test_an_answer_without_a_body(self, way: Way, code: int) -> None:
        async with served() as url:
            answer = await way(requests.get, f"{url}/status/{code}", timeout=500)
        assert (answer.status_code, answer.content) == (code, b"")

    async def test_a_head(self, way: Way) -> None:
        async with served() as url:
            answer = await way(requests.head, f"{url}/echo", timeout=500)
        assert answer.headers["X-Method"] == "HEAD"
        assert answer.headers["Content-Length"] == "1000"
        assert answer.content == b""

    async def test_gzip_is_unpacked_once(self, way: Way) -> None:
        async with served() as url:
            answer = await way(requests.get, f"{url}/zipped", timeout=500)
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.encoding == "latin-1"
        assert answer.text == "Zoë"

    async def test_what_is_not_gzip_but_says_so(self, way: Way) -> None:
        async with raw(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi"
        ) as url:
            with pytest.raises(requests.exceptions.ContentDecodingError):
                await way(requests.get, url, timeout=500)

    async def test_json_and_what_is_none(self, way: Way) -> None:
        async with served() as url:
            answer = await way(requests.get, f"{url}/echo", timeout=500)
            assert answer.json()["method"] == "GET"
            answer = await way(requests.get, f"{url}/status/200", timeout=500)
        with pytest.raises(requests.JSONDecodeError):
            answer.json()

    async def test_a_body_in_pieces(self, way: Way) -> None:
        def lines(url: str) -> list[bytes]:
            with requests.get(url, stream=True, timeout=500) as answer:
                return list(answer.iter_lines())

        def pieces(url: str) -> bytes:
            answer = requests.get(url, stream=True, timeout=500)
            return b"".join(answer.iter_content(3))

        async with served() as url:
            assert await way(lines, f"{url}/lines") == [b"line 0", b"line 1", b"line 2"]
            assert await way(pieces, f"{url}/lines") == b"line 0\nline 1\nline 2\n"

    async def test_a_raw_body(self, way: Way) -> None:
        def read(url: str) -> tuple[bytes, bytes]:
            answer = requests.get(url, stream=True, timeout=500)
            return answer.raw.read(3), answer.raw.read()

        async with raw(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef") as url:
            assert await way(read, url) == (b"abc", b"def")

    async def test_it_knows_what_was_asked_and_how_long_it_took(self, way: Way) -> None:
        async with served() as url:
            answer = await way(requests.get, f"{url}/echo", timeout=500)
        assert answer.request.method == "GET"
        assert answer.url == answer.request.url == f"{url}/echo"
        assert answer.elapsed.total_seconds() > 0

    async def test_hooks_are_called(self, way: Way) -> None:
        seen = list[int]()

        def hook(answer: requests.Response, *_: Any, **__: Any) -> None:
            seen.append(answer.status_code)

        async with served() as url:
            await way(requests.get, f"{url}/echo", hooks={"response": hook}, timeout=500)
        assert seen == [200]


class TestCookies:
    async def test_a_session_keeps_them(self, way: Way) -> None:
        def code(url: str) -> Any:
            with requests.Session() as session:
                first = session.get(f"{url}/cookies?a=1&b=2", timeout=500)
                assert first.cookies.get_dict() == {"a": "1", "b": "2"}
                assert session.cookies.get_dict() == {"a": "1", "b": "2"}
                return session.get(f"{url}/cookies", cookies={"c": "3"}, timeout=500).json()

        async with served() as url:
            assert await way(code, url) == {"a": "1", "b": "2", "c": "3"}
            assert (await way(requests.get, f"{url}/cookies", timeout=500)).json() == {}

    async def test_a_redirect_brings_them_along(self, way: Way) -> None:
        async with served() as url:
            answer = await way(requests.get, f"{url}/redirect?to=/cookies", timeout=500)
        assert answer.json() == {"redirected": "yes"}


class TestRedirects:
    async def test_are_followed_and_remembered(self, way: Way) -> None:
        async with served() as url:
            answer = await way(
                requests.get, f"{url}/redirect?to=/redirect?to=/echo", timeout=500
            )
        assert answer.url == f"{url}/echo"
        assert [r.status_code for r in answer.history] == [302, 302]

    async def test_are_left_alone_if_asked(self, way: Way) -> None:
        async with served() as url:
            there = f"{url}/redirect?to=/echo"
            answer = await way(requests.get, there, allow_redirects=False, timeout=500)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/echo")
        assert answer.history == []

    @pytest.mark.parametrize(
        ("code", "method", "body"),
        [(302, "GET", ""), (303, "GET", ""), (307, "POST", "foo=bar")],
    )
    async def test_of_a_post(self, way: Way, code: int, method: str, body: str) -> None:
        async with served() as url:
            there = f"{url}/redirect?to=/echo&code={code}"
            answer = await way(requests.post, there, data={"foo": "bar"}, timeout=500)
        assert answer.json()["method"] == method
        assert answer.json()["body"] == body
        assert header(answer, "content-type") == ([FORM] if body else [])

    async def test_too_many_are_an_error(self, way: Way) -> None:
        def code(url: str) -> None:
            session = requests.Session()
            session.max_redirects = 3
            session.get(
                f"{url}/redirect?to=/redirect?to=/redirect?to=/redirect?to=/echo", timeout=5
            )

        async with served() as url:
            with pytest.raises(requests.TooManyRedirects):
                await way(code, url)


class TestErrors:
    """Each is of exactly the class that stock requests raises."""

    async def raises(
        self, way: Way, error: type[Exception], url: str, **options: Any
    ) -> requests.RequestException:
        options.setdefault("timeout", 5)
        with pytest.raises(error) as raised:
            await way(requests.get, url, **options)
        assert type(raised.value) is error
        if isinstance(raised.value, requests.RequestException) and raised.value.request:
            assert raised.value.request.url == url
        return raised.value  # type: ignore[return-value]

    async def is_too_late(
        self, way: Way, error: type[Exception], url: str, timeout_of: Callable[[float], Any]
    ) -> None:
        # On a busy machine something else than what is meant may be too late. Then all of it
        # happens again with more time.
        for seconds in (0.2, 1, 5, 25):
            with pytest.raises(requests.RequestException) as raised:
                await way(requests.get, url, timeout=timeout_of(seconds))
            if type(raised.value) is error:
                return
        assert type(raised.value) is error

    async def test_nobody_listens(self, way: Way) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        error = await self.raises(way, requests.ConnectionError, f"http://127.0.0.1:{port}/")
        assert error.request

    async def test_nobody_has_the_name(self, way: Way) -> None:
        await self.raises(way, requests.ConnectionError, "http://no-such-name.invalid/")

    async def test_the_server_hangs_up(self, way: Way) -> None:
        async with raw(b"") as url:
            await self.raises(way, requests.ConnectionError, f"{url}/")

    async def test_the_server_speaks_another_language(self, way: Way) -> None:
        async with raw(b"220 mail.example.org ESMTP\r\n\r\n") as url:
            await self.raises(way, requests.ConnectionError, f"{url}/")

    @pytest.mark.parametrize(
        "half",
        [b"Content-Length: 100\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n64\r\nhalf"],
        ids=["length", "chunks"],
    )
    async def test_the_server_hangs_up_in_the_body(self, way: Way, half: bytes) -> None:
        async with raw(b"HTTP/1.1 200 OK\r\n" + half) as url:
            await self.raises(way, requests.exceptions.ChunkedEncodingError, f"{url}/")

    @pytest.mark.parametrize(
        "timeout_of",
        [
            lambda seconds: seconds,
            lambda seconds: (seconds, seconds),
            lambda seconds: (None, seconds),
            lambda seconds: urllib3.Timeout(total=seconds),
        ],
    )
    async def test_no_answer_in_time(
        self, way: Way, timeout_of: Callable[[float], Any]
    ) -> None:
        async with served() as url:
            await self.is_too_late(way, requests.ReadTimeout, f"{url}/hangs", timeout_of)

    async def test_no_rest_of_the_body_in_time(self, way: Way) -> None:
        async with raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", hang=True) as url:
            await self.is_too_late(way, requests.ConnectionError, f"{url}/", float)

    @pytest.mark.parametrize("timeout", [0.2, (0.2, 20), (0.2, None)])
    async def test_no_connection_in_time(self, way: Way, timeout: Any) -> None:
        with full_house() as url:
            await self.raises(way, requests.ConnectTimeout, url, timeout=timeout)

    async def test_hardly_any_time(self, way: Way) -> None:
        async with served() as url:
            with pytest.raises(requests.Timeout):
                await way(requests.get, f"{url}/hangs", timeout=0.0001)

    @pytest.mark.parametrize("timeout", [0, -1, "soon", (1, 2, 3), True])
    async def test_a_timeout_that_makes_no_sense(self, way: Way, timeout: Any) -> None:
        async with served() as url:
            await self.raises(way, ValueError, f"{url}/echo", timeout=timeout)

    @pytest.mark.parametrize(
        ("url", "error"),
        [
            ("127.0.0.1/echo", requests.exceptions.MissingSchema),
            ("ftp://127.0.0.1/echo", requests.exceptions.InvalidSchema),
            ("http://", requests.exceptions.InvalidURL),
            ("http://127.0.0.1:port/", requests.exceptions.InvalidURL),
            ("http://*.example.org/", requests.exceptions.InvalidURL),
        ],
    )
    async def test_an_address_that_is_none(
        self, way: Way, url: str, error: type[Exception]
    ) -> None:
        with pytest.raises(error) as raised:
            await way(requests.get, url, timeout=500)
        assert type(raised.value) is error

    @pytest.mark.parametrize("host", ["a..b", f"{'a' * 70}.invalid"])
    async def test_a_name_that_cannot_be_one(self, client: str, host: str) -> None:
        """Here stock requests lets an exception of urllib3 through, which is no model."""
        with pytest.raises(requests.RequestException):
            await Way(client)(requests.get, f"http://{host}/", timeout=500)

    async def test_an_exception_of_the_body_itself(self, way: Way) -> None:
        def body() -> Iterator[bytes]:
            yield b"one"
            raise KeyError("two")

        async with served() as url:
            with pytest.raises(KeyError, match="two"):
                await way(requests.post, f"{url}/echo", data=body(), timeout=500)


@contextlib.contextmanager
def full_house() -> Iterator[str]:
    """An address that lets nobody in, where the system has such a thing."""
    with _faults.full_house() as url, socket.socket() as probe:
        probe.settimeout(0.05)
        host, port = url.removeprefix("http://").rstrip("/").split(":")
        try:
            probe.connect((host, int(port)))
        except TimeoutError:
            yield url
        else:
            pytest.skip("this system lets everybody in")


class TestPoliteness:
    async def test_the_loop_turns_meanwhile(self, engine: str) -> None:
        """Nobody gets an answer before all have asked; to block the loop is to wait in vain."""
        backend = Backend(together=30)
        async with running(backend.app) as url:
            with setup_session(engine=engine):
                ask = bobs_big_data.ask
                answers = (run(ask, url, "messages", "ada", 10) for _ in range(30))
                assert await asyncio.gather(*answers) == [3] * 30

    async def test_a_cancelled_request_raises_cancelled_error_in_plain_code(
        self, engine: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        # Tornado logs what becomes of a fetch after it was cancelled.
        caplog.set_level("CRITICAL", "tornado.application")
        backend, seen = Backend(hang={"profile"}), list[type[BaseException]]()

        def code(url: str) -> None:
            try:
                requests.get(f"{url}/profile?user=ada", timeout=500)
            except BaseException as error:
                seen.append(type(error))
                raise

        async with running(backend.app) as url:
            with setup_session(engine=engine):
                task = asyncio.create_task(run(code, url))
                while not backend.asked:
                    await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        assert seen == [asyncio.CancelledError]

    async def test_the_talk_s_handler_gives_the_posted_data_back(
        self, engine: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with (
            running(Backend().app) as data,
            running(Application([("/", WebHandler)])) as url,
        ):
            monkeypatch.setattr(bobs_big_data.BigData, "url", f"{data}/data")
            with setup_session(engine=engine):
                response = await AsyncHTTPClient().fetch(url)
        assert json_decode(response.body) == {"foo": "bar"}

    async def test_a_session_may_be_used_by_two_threads(self, engine: str) -> None:
        """By a greenlet here, by a loop elsewhere, and by a thread without a loop."""
        session = requests.Session()

        def ask() -> int:
            return session.get(f"{url}/echo", timeout=500).status_code

        async with served() as url:
            with setup_session(session, engine=engine):
                codes = await asyncio.gather(
                    run(ask),
                    asyncio.to_thread(ask),
                    asyncio.to_thread(on_own_loop, run, ask),
                    run(ask),
                )
        assert codes == [200] * 4

    def test_a_loop_that_ends_takes_its_connections_along(
        self, engine: str, open_descriptors: Callable[[], int]
    ) -> None:
        async def ask() -> None:
            await run(requests.get, f"{url}/profile?user=ada", timeout=500)

        with running_apart(Backend().app) as url, setup_session(engine=engine):
            on_own_loop(ask)
            before = open_descriptors()
            for _ in range(3):
                on_own_loop(ask)
            # The server lets go of its own ends when its thread comes to it.
            end = time.monotonic() + 10
            while open_descriptors() > before and time.monotonic() < end:
                pass
            assert open_descriptors() <= before


# fmt: off
class WebHandler(RequestHandler):
    @tornalet
    def get(self):
        data = {'foo': 'bar'}
        response = bobs_big_data.BigData(data).post()
        return self.write(response)
# fmt: on


class TestOutsideAGreenlet:
    async def test_it_warns_of_the_line_that_blocks_the_loop_and_answers(
        self, engine: str
    ) -> None:
        def get(url: str) -> requests.Response:
            return requests.get(url, timeout=500)

        def session_get(url: str) -> requests.Response:
            with requests.Session() as session:
                return session.get(url, timeout=500)

        def session_send(url: str) -> requests.Response:
            with requests.Session() as session:
                return session.send(requests.Request("GET", url).prepare(), timeout=500)

        with running_apart(site()) as url, setup_session(engine=engine):
            for ask in (get, session_get, session_send):
                for address in (f"{url}/echo", f"{url}/redirect?to=/echo"):
                    with pytest.warns(RuntimeWarning, match="blocks the event loop") as caught:
                        assert ask(address).status_code == 200
                    first = ask.__code__.co_firstlineno
                    assert caught[0].filename == __file__
                    assert first < caught[0].lineno <= first + 2

    def test_it_blocks_silently_where_no_loop_runs(self, engine: str) -> None:
        with running_apart(site()) as url, setup_session(engine=engine):
            assert requests.get(f"{url}/echo", timeout=500).status_code == 200

    async def test_it_blocks_silently_on_another_thread(self, engine: str) -> None:
        async with served() as url:
            with setup_session(engine=engine):
                answer = await asyncio.to_thread(requests.get, f"{url}/echo", timeout=500)
        assert answer.status_code == 200


def is_polite(session: requests.Session, url: str = "http://127.0.0.1/") -> bool:
    adapter = session.get_adapter(url)
    return isinstance(adapter, TornadoAdapter | SocketsAdapter) and not adapter.undone


def engine_of(session: requests.Session) -> str:
    adapter = session.get_adapter("http://127.0.0.1/")
    if isinstance(adapter, TornadoAdapter):
        return adapter.engine
    assert isinstance(adapter, SocketsAdapter)
    return "sockets"


class TestSetup:
    def test_all_sessions(self) -> None:
        init = requests.Session.__init__
        undo = setup_session()
        assert is_polite(requests.Session())
        assert is_polite(requests.Session(), "https://example.org/")
        undo.close()
        assert not is_polite(requests.Session())
        assert requests.Session.__init__ is init

    def test_as_a_context_manager_it_is_undone_by_an_exception_too(self) -> None:
        with pytest.raises(ZeroDivisionError), setup_session():
            assert is_polite(requests.Session())
            _ = 1 / 0
        assert not is_polite(requests.Session())

    def test_one_session(self) -> None:
        session = requests.Session()
        before = dict(session.adapters)
        with setup_session(session):
            assert is_polite(session)
            assert not is_polite(requests.Session())
        assert dict(session.adapters) == before
        assert list(session.adapters) == list(before)

    @pytest.mark.parametrize("mounts", ["http://a.example/", ["http://a.example/"]], ids=type)
    def test_some_addresses(self, mounts: Any) -> None:
        session = requests.Session()
        with setup_session(session, mounts), setup_session(mounts=mounts):
            for s in (session, requests.Session()):
                assert is_polite(s, "http://a.example/x")
                assert not is_polite(s, "http://b.example/x")
        assert list(session.adapters) == ["https://", "http://"]

    def test_an_engine_that_there_is_not(self) -> None:
        with pytest.raises(ValueError, match="simple, curl"):
            setup_session(engine="steam")
        assert not is_polite(requests.Session())

    @pytest.mark.parametrize("engine", ["", 0, b"sockets", ["sockets"]], ids=str)
    def test_what_is_no_engine_is_named(self, engine: Any) -> None:
        with pytest.raises(ValueError, match="the engine is one of") as raised:
            setup_session(engine=engine)
        assert str(raised.value).endswith(f"not {engine!r}")
        assert not is_polite(requests.Session())

    @pytest.mark.parametrize("for_all", [True, False], ids=["for all", "for one"])
    @pytest.mark.parametrize("mounts", [5, b"", b"http://", True, [5], [b"http://"]], ids=str)
    def test_mounts_that_are_no_texts(self, mounts: Any, for_all: bool) -> None:
        session = None if for_all else requests.Session()
        with pytest.raises(TypeError, match=r"such as https:.*, not") as raised:
            setup_session(session, mounts)
        wrong = mounts[0] if isinstance(mounts, list) else mounts
        assert str(raised.value).endswith(f"not {wrong!r}")
        assert not is_polite(session or requests.Session())

    @pytest.mark.parametrize("for_all", [True, False], ids=["for all", "for one"])
    @pytest.mark.parametrize(
        "mounts", ["", "a.example/", ["http://a.example/", "b"], "http", "https:/"], ids=str
    )
    def test_mounts_that_no_session_would_find(self, mounts: Any, for_all: bool) -> None:
        session = None if for_all else requests.Session()
        with pytest.raises(ValueError, match="with a scheme") as raised:
            setup_session(session, mounts)
        wrong = mounts[-1] if isinstance(mounts, list) else mounts
        assert str(raised.value).endswith(f"not as {wrong!r}")
        assert not is_polite(session or requests.Session(), "http://a.example/")

    @pytest.mark.parametrize("for_all", [True, False], ids=["for all", "for one"])
    def test_mounts_in_capital_letters(self, for_all: bool) -> None:
        session = requests.Session()
        session.mount("http://a.example/", requests.adapters.HTTPAdapter())
        with setup_session(None if for_all else session, ["HTTP://", "http://A.example/"]):
            for s in (requests.Session() if for_all else session,):
                assert is_polite(s, "http://a.example/x")
                assert is_polite(s, "Http://b.example/x")
                assert not is_polite(s, "https://b.example/x")
        assert not is_polite(session, "http://a.example/x")
        assert list(session.adapters) == ["http://a.example/", "https://", "http://"]

    @pytest.mark.parametrize("mounts", [[], (), iter(())], ids=type)
    def test_no_mounts_at_all(self, mounts: Any) -> None:
        with pytest.raises(ValueError, match="mounts is empty: leave it out for all addresses"):
            setup_session(mounts=mounts)

    @pytest.mark.parametrize("session", [5, "", 0, [], requests.Session], ids=str)
    def test_what_is_no_session_is_named(self, session: Any) -> None:
        with pytest.raises(TypeError, match=r"a requests\.Session, or left out") as raised:
            setup_session(session)
        assert str(raised.value).endswith(f"not {session!r}")

    def test_an_engine_that_is_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "tornado.curl_httpclient", None)
        with pytest.raises(ImportError):
            setup_session(engine="curl")
        assert not is_polite(requests.Session())

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)], ids=str)
    def test_setups_may_be_undone_in_any_order(self, order: tuple[int, ...]) -> None:
        init, session, mine = requests.Session.__init__, requests.Session(), HTTPAdapter()
        session.mount("http://", mine)
        everywhere = [setup_session() for _ in range(3)]
        here = [setup_session(session) for _ in range(3)]
        for n in order:
            assert is_polite(requests.Session())
            assert is_polite(session)
            everywhere[n].close()
            here[n].close()
        assert not is_polite(requests.Session())
        assert session.adapters["http://"] is mine
        assert requests.Session.__init__ is init

    def test_of_a_setup_for_all_below_one_for_a_session_that_ends_first(self) -> None:
        everywhere = setup_session()
        session = requests.Session()
        here = setup_session(session)
        everywhere.close()
        here.close()
        assert set(session.adapters) == {"http://", "https://"}
        assert not is_polite(session)

    def test_only_what_is_undone_ends(self) -> None:
        first, second = setup_session(mounts="http://a/"), setup_session(mounts="http://b/")
        first.close()
        assert not is_polite(requests.Session(), "http://a/")
        assert is_polite(requests.Session(), "http://b/")
        second.close()
        assert not is_polite(requests.Session(), "http://b/")

    def test_the_latest_setup_counts(self) -> None:
        need_curl()
        for first, second in itertools.permutations(ENGINES, 2):
            with setup_session(engine=first), setup_session(engine=second):
                assert engine_of(requests.Session()) == second
            session = requests.Session()
            with setup_session(session, engine=first), setup_session(session, engine=second):
                assert engine_of(session) == second

    def test_another_adapter_that_was_mounted_meanwhile_stays(self) -> None:
        session, mine = requests.Session(), HTTPAdapter()
        with setup_session(session):
            session.mount("http://", mine)
        assert session.adapters["http://"] is mine

    def test_subclasses_of_sessions_are_sessions(self) -> None:
        class Mine(requests.Session):
            def __init__(self) -> None:
                super().__init__()
                self.headers["X-Mine"] = "yes"

        with setup_session():
            assert is_polite(Mine())
            assert Mine().headers["X-Mine"] == "yes"
        assert not is_polite(Mine())

    async def test_a_session_that_outlives_the_setup_does_what_requests_does(self) -> None:
        with setup_session():
            session = requests.Session()
        with running_apart(site()) as url, warnings.catch_warnings():
            warnings.simplefilter("error")
            assert session.get(f"{url}/echo", timeout=500).status_code == 200

    @pytest.mark.parametrize(
        "how", [copy.copy, copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a))]
    )
    async def test_an_adapter_can_be_copied(
        self, engine: str, how: Callable[[requests.Session], requests.Session]
    ) -> None:
        session = requests.Session()
        setup_session(session, engine=engine)
        again = how(session)
        assert engine_of(again) == engine
        async with served() as url:
            assert (await run(again.get, f"{url}/echo", timeout=500)).status_code == 200


class TestEnvironment:
    async def test_a_proxy_that_an_engine_cannot_use_is_refused_in_a_sentence(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
        async with served() as url:
            with pytest.raises(requests.exceptions.ProxyError, match='"curl" and "sockets" do'):
                await Way("simple")(requests.get, f"{url}/echo", timeout=500)

    async def test_a_proxy_that_is_not_there_is_an_error(
        self, way: Way, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
        async with served() as url:
            with pytest.raises(requests.exceptions.ProxyError):
                await way(requests.get, f"{url}/echo", timeout=500)

    async def test_an_address_that_needs_no_proxy_is_reached(
        self, way: Way, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        async with served() as url:
            answer = await way(requests.get, f"{url}/echo", timeout=500)
        assert answer.status_code == 200

    async def test_a_session_need_not_trust_the_environment(
        self, way: Way, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")

        def code(url: str) -> int:
            session = requests.Session()
            session.trust_env = False
            return session.get(f"{url}/echo", timeout=500).status_code

        async with served() as url:
            assert await way(code, url) == 200
