"""An ASGI application behind a Tornado handler is served as by any server of ASGI."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import pytest
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from loopfilm import CannotListen, handlers_at_work, running
from loopfilm.unwrapped import requests_at_work
from stormy_demo.neighbours.asgi import AsgiHandler, ClientLeft, at
from stormy_demo.neighbours.asgi_scope import AsgiApp
from stormy_demo.neighbours.lifespan import lifespan

pytest.importorskip("starlette", reason="Starlette is not installed")

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from stormy_demo.neighbours.counterparts.starlette_site import site

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]

START = {"type": "http.response.start", "status": 200}
# Bytes; more than the systems keep of a connection whose reader does not read.
MUCH = 25_600_000
PIECE = 64_000
# Seconds after which a test waits in vain.
PATIENCE = 60


def body(data: bytes = b"", more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until something is true."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.001)


async def stalled(count: Callable[[], int]) -> None:
    """Wait until something has begun, and has not grown for a while."""
    before = -1
    while count() > before or not count():
        before = count()
        await asyncio.sleep(0.3)


async def all_ended() -> None:
    """Wait until no handler is at work: a server that stops would tell it, and log that."""
    loop = asyncio.get_running_loop()
    await until(lambda: not list(requests_at_work(loop)))


class Answer:
    """What came over a connection, to its end."""

    def __init__(self, raw: bytes) -> None:
        head, _, rest = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin1").split("\r\n")
        self.raw = raw
        self.status = int(first.split()[1]) if first else 0
        self.headers = [tuple(line.split(": ", 1)) for line in lines]
        self.is_whole = True
        self.body = rest
        if self.get("transfer-encoding") == ["chunked"]:
            self.is_whole = rest.endswith(b"0\r\n\r\n")
            self.body = b"".join(chunks(rest))
        elif length := self.get("content-length"):
            self.is_whole = len(rest) == int(length[0])

    def get(self, name: str) -> list[str]:
        return [value for found, value in self.headers if found.lower() == name]


def chunks(rest: bytes) -> list[bytes]:
    found, place, line = [], 0, re.compile(rb"([0-9A-Fa-f]+)\r\n")
    while match := line.match(rest, place):
        end = match.end() + int(match[1], 16)
        found.append(rest[match.end() : end])
        place = end + 2
    return found


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    place = urlsplit(url)
    return await asyncio.open_connection(place.hostname, place.port)


def request(method: str, target: str, *headers: str) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: here", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin1")


async def ask(url: str, method: str, target: str, *headers: str, data: bytes = b"") -> Answer:
    """Send a request as it is written here, and read to the end of the connection."""
    reader, writer = await connect(url)
    if data:
        headers = (*headers, f"Content-Length: {len(data)}")
    writer.write(request(method, target, *headers) + data)
    heard = b""
    with suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE):
            heard = await reader.read()
    writer.close()
    return Answer(heard)


@asynccontextmanager
async def serving(app: AsgiApp, path: str = "", **settings: Any) -> AsyncIterator[str]:
    """Have a handler of ours serve it."""
    async with running(Application([at(path, app, **settings)])) as url:
        yield url


@asynccontextmanager
async def under_hypercorn(app: Any) -> AsyncIterator[str]:
    """Have a server of ASGI serve it, for comparison."""
    asyncio_server = pytest.importorskip("hypercorn.asyncio", reason="no hypercorn")
    from hypercorn.config import Config

    config, end = Config(), asyncio.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    config.bind = [f"fd://{listener.detach()}"]
    config.errorlog = None
    sockets = config.create_sockets()
    config.create_sockets = lambda: sockets  # type: ignore[method-assign]
    place = sockets.insecure_sockets[0].getsockname()

    async def ended() -> None:
        await end.wait()

    serving = asyncio.create_task(asyncio_server.serve(app, config, shutdown_trigger=ended))
    try:
        yield f"http://{place[0]}:{place[1]}"
    finally:
        end.set()
        await serving


class TestSomebodyElsesApplication:
    """It answers as it does under hypercorn."""

    @pytest.mark.excuse_noise("Uncaught exception GET /broken", "Error in ASGI Framework")
    async def test_answers_alike(self) -> None:
        async with (
            lifespan(site) as state,
            serving(site, state=state) as ours,
            under_hypercorn(site) as theirs,
        ):
            for method, target, data in [
                ("GET", "/", b""),
                ("GET", "/who", b""),
                ("GET", "/nap", b""),
                ("GET", "/nap?seconds=long", b""),
                ("GET", "/lines?count=3", b""),
                ("GET", "/lines?count=-3", b""),
                ("GET", "/lines?count=10000", b""),
                ("HEAD", "/lines?count=3", b""),
                ("HEAD", "/who", b""),
                ("GET", "/asked/a%20b%2Fc/%C3%A9?x=1&y=%20&x=2", b""),
                ("GET", "/asked/%ff%fe", b""),
                ("GET", "/asked/a//b/../c;d=e?", b""),
                ("POST", "/asked/x", b"something"),
                ("DELETE", "/asked/x", b""),
                ("PUT", "/asked/x", b""),
                ("OPTIONS", "/who", b""),
                ("GET", "/cookies", b""),
                ("GET", "/note?text=hello", b""),
                ("GET", "/note/", b""),
                ("GET", "/nothing", b""),
                ("PUT", "/upload", b""),
                ("PUT", "/upload", b"x" * 1_000_000),
                ("GET", "/broken", b""),
            ]:
                one = await ask(ours, method, target, data=data)
                other = await ask(theirs, method, target, data=data)
                assert one.status == other.status, (method, target)
                assert one.body == other.body, (method, target)
                assert one.is_whole or method == "HEAD"
                for name in ["content-type", "content-length", "set-cookie", "allow"]:
                    assert one.get(name) == other.get(name), (method, target, name)
                moved = [urlsplit(value).path for value in one.get("location")]
                assert moved == [urlsplit(value).path for value in other.get("location")]

    async def test_takes_a_body_in_chunks(self) -> None:
        async with serving(site) as url:
            reader, writer = await connect(url)
            writer.write(request("PUT", "/upload", "Transfer-Encoding: chunked"))
            for _ in range(3):
                writer.write(b"5\r\nhello\r\n")
                await writer.drain()
            writer.write(b"0\r\n\r\n")
            answer = Answer(await reader.read())
            writer.close()
        told = {"bytes": 15, "sha256": sha256(b"hello" * 3).hexdigest()}
        assert json.loads(answer.body) == told

    async def test_stands_under_a_path_and_says_so_in_its_links(self) -> None:
        async with lifespan(site) as state, serving(site, "/theirs", state=state) as url:
            page = await ask(url, "GET", "/theirs/")
            assert b'href="/theirs/who"' in page.body
            moved = await ask(url, "GET", "/theirs")
            assert moved.get("location") == ["http://here/theirs/"]
            assert (await ask(url, "GET", "/theirsX")).status == 404
            assert (await ask(url, "GET", "/")).status == 404

    async def test_works_on_after_its_answer(self) -> None:
        enough = asyncio.Event()
        done = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            await send(body(b"noted"))
            await enough.wait()
            done.append(await receive())

        async with serving(app) as url:
            assert (await ask(url, "GET", "/")).body == b"noted"
            assert not done
            enough.set()
            await until(lambda: done)
        assert done == [{"type": "http.disconnect"}]

    @pytest.mark.parametrize("target", ["/nap", "/lines?count=2"])
    async def test_answers_two_requests_on_one_connection(self, target: str) -> None:
        async with serving(site) as url:
            reader, writer = await connect(url)
            for last in (False, True):
                first = request("GET", target)
                writer.write(first if last else first.replace(b"close", b"keep-alive"))
            heard = await reader.read()
            writer.close()
        assert heard.count(b"HTTP/1.1 200 OK\r\n") == 2


class TestScope:
    async def test_says_what_is_asked(self) -> None:
        scopes = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scopes.append(scope)
            await send(START)
            await send(body())

        async with serving(app, "/there", state={"book": ["a"]}) as url:
            port = urlsplit(url).port
            raw = "/there/a%20b/%C3%A9%2F?x=%20&x=2"
            await ask(url, "GET", raw, "X-Seen: one", "x-sEEN: \xe9", "Cookie: a=1; b=2")
        [scope] = scopes
        headers = scope.pop("headers")
        assert [value for name, value in headers if name == b"x-seen"] == [b"one", b"\xe9"]
        assert (b"cookie", b"a=1; b=2") in headers
        host, client_port = scope.pop("client")
        assert host == "127.0.0.1" and client_port not in (0, port)
        assert scope == {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/there/a b/é/",
            "raw_path": b"/there/a%20b/%C3%A9%2F",
            "query_string": b"x=%20&x=2",
            "root_path": "/there",
            "server": ("127.0.0.1", port),
            "state": {"book": ["a"]},
            "extensions": {},
        }

    async def test_names_the_two_ends(self) -> None:
        scopes = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scopes.append(scope)
            await send(START)
            await send(body())

        behind_a_proxy = HTTPServer(Application([at("", app)]), xheaders=True)
        behind_a_proxy.listen(0, "127.0.0.1")
        [listener] = behind_a_proxy._sockets.values()
        try:
            port = listener.getsockname()[1]
            await ask(f"http://127.0.0.1:{port}", "GET", "/", "X-Real-Ip: 9.9.9.9")
        finally:
            behind_a_proxy.stop()
        assert scopes[0]["client"] == ("9.9.9.9", 0)
        assert scopes[0]["server"] == ("127.0.0.1", port)
        try:
            async with running(Application([at("", app)]), address="::1") as url:
                await ask(url, "GET", "/")
        except CannotListen:
            pytest.skip("no IPv6")
        assert scopes[1]["server"] == ("::1", urlsplit(url).port)
        assert scopes[1]["client"][0] == "::1" and len(scopes[1]["client"]) == 2

    async def test_each_request_has_a_copy_of_the_state(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            told = sorted(scope["state"])
            scope["state"]["mine"] = True
            await send(START)
            await send(body(json.dumps(told).encode()))

        async with serving(app, state={"book": 1}) as url:
            for _ in range(2):
                assert (await ask(url, "GET", "/")).body == b'["book"]'

    async def test_bytes_of_an_address_that_are_not_escaped_are_taken_for_utf_8(self) -> None:
        paths = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            paths.append((scope["path"], scope["raw_path"]))
            await send(START)
            await send(body())

        async with serving(app) as url:
            await ask(url, "GET", "/" + "é".encode().decode("latin1"))
            await ask(url, "GET", "/\xff")
        assert paths == [("/é", "/é".encode()), ("/\ufffd", b"/\xff")]


class TestAnswer:
    async def answer_to(
        self, *messages: dict[str, Any], method: str = "GET", then: Exception | None = None
    ) -> Answer:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            for message in messages:
                await send(message)
            if then:
                raise then

        async with serving(app) as url:
            return await ask(url, method, "/")

    async def test_has_the_headers_of_the_application_and_no_others(self) -> None:
        headers = [
            (b"set-cookie", b"a=1"),
            (b"set-cookie", b"b=2"),
            (b"X-Seen", b" \xe9 "),
            (b"server", b"mine"),
            (b"connection", b"upgrade"),
            (b"transfer-encoding", b"gzip"),
            (b"keep-alive", b"timeout=5"),
        ]
        answer = await self.answer_to({**START, "headers": headers}, body(b"hello"))
        assert answer.get("set-cookie") == ["a=1", "b=2"]
        assert answer.get("x-seen") == ["\xe9"]
        assert answer.get("server") == ["mine"]
        assert len(answer.get("date")) == 1
        assert answer.get("content-length") == ["5"]
        assert answer.get("connection") == ["close"]
        for name in ["transfer-encoding", "keep-alive", "content-type", "etag"]:
            assert not answer.get(name)

    async def test_goes_in_pieces_where_its_length_is_not_told(self) -> None:
        answer = await self.answer_to(START, body(b"one", True), body(b"", True), body(b"two"))
        assert answer.get("transfer-encoding") == ["chunked"]
        assert (answer.body, answer.is_whole) == (b"onetwo", True)

    async def test_may_be_of_any_kind_of_bytes(self) -> None:
        pieces = [bytearray(b"one"), memoryview(b"two")]
        messages = [body(piece, True) for piece in pieces]  # type: ignore[arg-type]
        answer = await self.answer_to(START, *messages, body())
        assert answer.body == b"onetwo"

    async def test_ends_with_the_first_message_that_says_so(self) -> None:
        answer = await self.answer_to(START, body(b"one"), body(b"two"), START)
        assert (answer.status, answer.body) == (200, b"one")

    @pytest.mark.parametrize("status", [204, 304])
    @pytest.mark.parametrize("more", [False, True])
    async def test_of_some_statuses_has_no_body(self, status: int, more: bool) -> None:
        length = (b"content-length", b"5")
        start = {**START, "status": status, "headers": [length]}
        answer = await self.answer_to(start, body(b"hello", more), body())
        assert (answer.status, answer.body) == (status, b"")
        assert answer.get("content-length") == ([] if status == 204 else ["5"])
        assert not answer.get("transfer-encoding")

    @pytest.mark.parametrize("more", [False, True])
    async def test_to_head_has_no_body(self, more: bool) -> None:
        messages = [body(b"hello", True), body()] if more else [body(b"hello")]
        answer = await self.answer_to(START, *messages, method="HEAD")
        assert (answer.status, answer.body) == (200, b"")
        assert answer.get("content-length") == ([] if more else ["5"])

    async def test_has_a_status_that_nobody_has_heard_of(self) -> None:
        answer = await self.answer_to({**START, "status": 299}, body(b"hello"))
        assert (answer.status, answer.body) == (299, b"hello")

    @pytest.mark.parametrize(
        "messages",
        [
            [],
            [START],
            [{**START, "headers": [(b"x-seen", b"1")]}],
        ],
    )
    async def test_that_never_comes_is_a_500_and_a_line_in_the_log(
        self, messages: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = await self.answer_to(*messages)
        assert answer.status == 500
        assert json.loads(answer.body) == {
            "error": "The application returned without an answer"
        }
        assert not answer.get("x-seen")
        [line] = [r.getMessage() for r in caplog.records if "returned" in r.getMessage()]
        assert line == "500 GET / (127.0.0.1): The application returned without an answer"

    @pytest.mark.parametrize(
        "messages",
        [
            [body(b"hello")],
            [START, START],
            [{"type": "http.response.trailers"}],
            [{"type": "websocket.send"}],
            [START, body("text")],  # type: ignore[arg-type]
            [START, body(5)],  # type: ignore[arg-type]
            [{**START, "status": 100}],
            [{**START, "status": 1000}],
            [{**START, "status": "fine"}],
            [{**START, "headers": [(b"x", b"a\r\nset-cookie: a=1")]}],
            [{**START, "headers": [(b"x: a\r\ny", b"a")]}],
            [{**START, "headers": [(b"content-length", b"many")]}],
            [{**START, "headers": [(b"content-length", b"5"), (b"content-length", b"5")]}],
        ],
        ids=str,
    )
    @pytest.mark.excuse_noise("Uncaught exception GET /")
    async def test_that_is_none_is_a_500(self, messages: list[dict[str, Any]]) -> None:
        answer = await self.answer_to(*messages, body(b"hello"))
        assert answer.status == 500
        assert json.loads(answer.body) == {"error": "Something went wrong in here."}
        assert b"a=1" not in answer.raw

    @pytest.mark.excuse_noise("Uncaught exception GET /")
    async def test_of_who_fails_before_it_is_a_500(self) -> None:
        for messages in [[], [START]]:
            answer = await self.answer_to(*messages, then=ArithmeticError("five"))
            assert answer.status == 500
            assert b"five" not in answer.raw

    @pytest.mark.excuse_noise("Uncaught exception GET /")
    async def test_of_who_fails_in_the_middle_is_cut_off(self) -> None:
        answer = await self.answer_to(START, body(b"one", True), then=ArithmeticError("five"))
        assert (answer.status, answer.body, answer.is_whole) == (200, b"one", False)

    async def test_of_who_returns_in_the_middle_is_cut_off(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = await self.answer_to(START, body(b"one", True))
        assert (answer.status, answer.body, answer.is_whole) == (200, b"one", False)
        assert "The application returned in the middle of its answer" in caplog.text

    @pytest.mark.excuse_noise("Uncaught exception GET /")
    async def test_of_who_fails_after_it_is_whole(self) -> None:
        answer = await self.answer_to(START, body(b"one"), then=ArithmeticError("five"))
        assert (answer.status, answer.body, answer.is_whole) == (200, b"one", True)

    @pytest.mark.excuse_noise("Uncaught exception GET /")
    @pytest.mark.parametrize("closes", [False, True])
    async def test_of_who_fails_later_is_whole_and_the_failure_is_in_the_log(
        self, closes: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        enough = asyncio.Event()

        async def fails() -> None:
            await enough.wait()
            raise ArithmeticError("five")

        async def page(_: Any) -> PlainTextResponse:
            return PlainTextResponse("one", background=BackgroundTask(fails))

        async with serving(Starlette(routes=[Route("/", page)])) as url:
            reader, writer = await connect(url)
            asked = request("GET", "/")
            writer.write(asked if closes else asked.replace(b"close", b"keep-alive"))
            assert (await reader.readuntil(b"one")).startswith(b"HTTP/1.1 200 ")
            enough.set()
            await all_ended()
            writer.close()
        [record] = [r for r in caplog.records if "Uncaught" in r.getMessage()]
        assert record.exc_info and record.exc_info[0] is ArithmeticError

    async def test_is_whole_and_what_else_is_sent_is_ignored(self) -> None:
        enough, ignored = asyncio.Event(), asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            await send(body(b"one"))
            await enough.wait()
            await send(body(b"two"))
            ignored.set()

        async with serving(app) as url:
            assert (await ask(url, "GET", "/")).body == b"one"
            enough.set()
            await until(ignored.is_set)

    async def test_has_nothing_of_a_beginning_that_was_refused(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            refused = [(b"set-cookie", b"a=1"), (b"x-seen", b"a\r\nb")]
            with pytest.raises(ValueError, match="Unsafe header"):
                await send({**START, "headers": refused})
            await send({**START, "status": 500})
            await send(body(b"sorry"))

        async with serving(app) as url:
            answer = await ask(url, "GET", "/")
        assert (answer.status, answer.body) == (500, b"sorry")
        assert not answer.get("set-cookie")

    @pytest.mark.excuse_noise("Uncaught exception PUT /")
    async def test_of_who_fails_while_the_body_comes_is_cut_off(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send(START)
            await send(body(b"one", True))
            raise ArithmeticError("five")

        async with serving(app) as url:
            reader, writer = await connect(url)
            writer.write(request("PUT", "/", "Content-Length: 1000000") + bytes(500_000))
            with suppress(ConnectionError):
                await reader.read()
            writer.close()
            await all_ended()
        errors = [r for r in caplog.records if r.levelname == "ERROR"]
        assert [r.exc_info and r.exc_info[0] for r in errors] == [ArithmeticError]

    @pytest.mark.parametrize("length", [b"2", b"4"])
    @pytest.mark.parametrize("more", [False, True])
    @pytest.mark.excuse_noise("Uncaught exception GET /")
    async def test_of_another_length_than_it_says_is_cut_off(
        self, length: bytes, more: bool
    ) -> None:
        start = {**START, "headers": [(b"content-length", length)]}
        messages = [body(b"one", True), body()] if more else [body(b"one")]
        answer = await self.answer_to(start, *messages)
        assert not answer.raw or not answer.is_whole

    @pytest.mark.parametrize("keeps", [False, True])
    async def test_ends_with_the_connection_where_a_client_knows_no_pieces(
        self, keeps: bool
    ) -> None:
        async with serving(site) as url:
            reader, writer = await connect(url)
            head = b"GET /lines?count=2 HTTP/1.0\r\n"
            writer.write(head + b"Connection: keep-alive\r\n" * keeps + b"\r\n")
            async with asyncio.timeout(PATIENCE):
                answer = Answer(await reader.read())
            writer.close()
        assert (answer.status, answer.body) == (200, b"0\n1\n")
        assert not answer.get("transfer-encoding")

    async def test_is_in_order_and_whole_when_two_tasks_send(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            pieces = [bytes([number]) * PIECE for number in range(100)]
            await asyncio.gather(*[send(body(piece, True)) for piece in pieces])
            await send(body())

        async with serving(app) as url:
            answer = await ask(url, "GET", "/")
        assert answer.is_whole
        assert answer.body == b"".join(bytes([number]) * PIECE for number in range(100))

    async def test_comes_before_the_body_has_come_if_the_application_likes(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({**START, "status": 403})
            await send(body(b"no"))

        async with serving(app) as url:
            reader, writer = await connect(url)
            writer.write(request("PUT", "/", "Content-Length: 1000"))
            answer = Answer(await reader.read())
            writer.close()
        assert (answer.status, answer.body) == (403, b"no")

    @pytest.mark.excuse_noise("Uncaught exception PUT /")
    async def test_of_who_fails_comes_before_the_body_has_come(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            raise ArithmeticError("five")

        async with serving(app) as url:
            reader, writer = await connect(url)
            writer.write(request("PUT", "/", "Content-Length: 1000") + b"hello")
            answer = Answer(await reader.read())
            writer.close()
        assert answer.status == 500


class TestBounds:
    async def test_a_body_that_is_announced_as_too_long_is_refused_and_nobody_is_called(
        self,
    ) -> None:
        called = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            called.append(scope)

        async with serving(app, largest=10) as url:
            reader, writer = await connect(url)
            writer.write(request("PUT", "/", "Content-Length: 11"))
            answer = Answer(await reader.read())
            writer.close()
        assert (answer.status, called) == (413, [])

    async def test_a_body_that_grows_too_long_ends_for_the_application(self) -> None:
        heard = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            while (message := await receive())["type"] == "http.request":
                heard.append(message["body"])
            heard.append(message["type"])

        async with serving(app, largest=10) as url:
            reader, writer = await connect(url)
            writer.write(request("PUT", "/", "Transfer-Encoding: chunked"))
            writer.write(b"8\r\n12345678\r\n")
            await until(lambda: heard)
            writer.write(b"8\r\n12345678\r\n")
            answer = Answer(await reader.read())
            writer.close()
            await until(lambda: len(heard) == 2)
        assert (answer.status, heard) == (400, [b"12345678", "http.disconnect"])

    async def test_who_takes_no_body_makes_its_sender_wait(self) -> None:
        enough = asyncio.Event()
        taken = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            message = await receive()
            await enough.wait()
            while message["type"] == "http.request" and message["more_body"]:
                taken.append(len(message["body"]))
                message = await receive()
            await send(START)
            await send(body())

        sent = 0
        async with serving(app) as url:
            reader, writer = await connect(url)

            async def produce() -> None:
                nonlocal sent
                writer.write(request("PUT", "/", f"Content-Length: {MUCH}"))
                for _ in range(MUCH // PIECE):
                    writer.write(bytes(PIECE))
                    await writer.drain()
                    sent += PIECE

            producing = asyncio.create_task(produce())
            await stalled(lambda: sent)
            assert sent < MUCH
            enough.set()
            await producing
            assert Answer(await reader.read()).status == 200
            writer.close()
        assert max(taken) <= 65_536

    async def test_who_sends_waits_for_a_slow_reader(self) -> None:
        sent = 0

        async def app(scope: Any, receive: Any, send: Any) -> None:
            nonlocal sent
            await send(START)
            for _ in range(MUCH // PIECE):
                await send(body(bytes(PIECE), True))
                sent += PIECE
            await send(body())

        async with serving(app) as url:
            place = urlsplit(url)
            reader, writer = await asyncio.open_connection(
                place.hostname, place.port, limit=PIECE
            )
            writer.write(request("GET", "/"))
            await stalled(lambda: sent)
            assert sent < MUCH
            answer = Answer(await reader.read())
            writer.close()
        assert (len(answer.body), answer.is_whole) == (MUCH, True)

    async def test_who_sends_without_end_lets_others_have_their_turns(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            while True:
                await send(body(b"x", True))

        class Ours(RequestHandler):
            def get(self) -> None:
                self.write("ours")

        async with running(Application([("/ours", Ours), at("", app)])) as url:
            reader, writer = await connect(url)
            writer.write(request("GET", "/"))
            assert await reader.read(10)
            assert (await ask(url, "GET", "/ours")).body == b"ours"
            writer.close()

    async def test_websockets_are_refused(self) -> None:
        async with serving(site) as url:
            answer = await ask(url, "GET", "/who", "Upgrade: WebSocket")
        assert answer.status == 400 and b"WebSocket" in answer.body


class TestWhoLeaves:
    """An application is told, whatever it does at that time, and only a line is logged."""

    def told_in(self, caplog: pytest.LogCaptureFixture) -> list[str]:
        return [r.getMessage() for r in caplog.records if r.levelname not in ("INFO", "DEBUG")]

    async def test_who_receives_is_told_at_once(self, caplog: pytest.LogCaptureFixture) -> None:
        heard: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            heard.append(await receive())
            heard.append(await receive())
            try:
                await send(START)
            except OSError as error:
                heard.append(type(error))

        async with serving(app) as url:
            _, writer = await connect(url)
            writer.write(request("GET", "/"))
            await until(lambda: heard)
            writer.close()
            await until(lambda: len(heard) == 3)
            await all_ended()
        assert heard == [
            {"type": "http.request", "body": b"", "more_body": False},
            {"type": "http.disconnect"},
            ClientLeft,
        ]
        assert self.told_in(caplog) == []

    @pytest.mark.parametrize("has_received", [False, True])
    async def test_who_waits_for_more_of_the_body_is_told(
        self, has_received: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        begun = asyncio.Event()
        heard: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if has_received:
                heard.append(await receive())
            begun.set()
            while (message := await receive())["type"] != "http.disconnect":
                heard.append(message)
            heard.append(message["type"])

        async with serving(app) as url:
            _, writer = await connect(url)
            writer.write(request("PUT", "/", "Content-Length: 100"))
            if has_received:
                writer.write(b"hello")
            await begun.wait()
            writer.close()
            await until(lambda: "http.disconnect" in heard)
            await all_ended()
        assert [m["more_body"] for m in heard[:-1]] == [True] * has_received
        assert self.told_in(caplog) == []

    async def test_who_sends_is_told_by_an_error(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        ended: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            try:
                while True:
                    await send(body(b"x" * 1000, True))
            except OSError as error:
                ended.append(error)
                raise

        async with serving(app) as url:
            reader, writer = await connect(url)
            writer.write(request("GET", "/"))
            assert await reader.read(10)
            writer.close()
            await until(lambda: ended)
            await all_ended()
        assert self.told_in(caplog) == []

    @pytest.mark.parametrize("senders", [1, 3])
    async def test_who_waits_for_the_reader_is_told(
        self, senders: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        ended: list[Any] = []
        sent = 0

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)

            async def sends() -> None:
                nonlocal sent
                try:
                    while True:
                        await send(body(bytes(PIECE), True))
                        sent += PIECE
                except OSError as error:
                    ended.append(error)

            await asyncio.gather(*[sends() for _ in range(senders)])

        async with serving(app) as url:
            _, writer = await connect(url)
            writer.write(request("GET", "/"))
            await stalled(lambda: sent)
            writer.transport.abort()
            await until(lambda: len(ended) == senders)
            await all_ended()
        assert self.told_in(caplog) == []

    async def test_a_stream_of_starlette_ends(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO")
        async with serving(site) as url:
            reader, writer = await connect(url)
            writer.write(request("GET", "/lines?count=1000000"))
            assert await reader.read(10)
            writer.close()
            await all_ended()
        assert self.told_in(caplog) == []
        assert "raised" not in caplog.text

    @pytest.mark.parametrize("server", ["ours", "hypercorn"])
    async def test_a_stream_of_starlette_ends_though_it_has_nothing_to_send(
        self, server: str
    ) -> None:
        ended = asyncio.Event()

        async def says_one_thing() -> AsyncIterator[str]:
            try:
                yield "one"
                await asyncio.Event().wait()
            finally:
                ended.set()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                await StreamingResponse(says_one_thing())(scope, receive, send)

        async with serving(app) if server == "ours" else under_hypercorn(app) as url:
            reader, writer = await connect(url)
            writer.write(request("GET", "/"))
            assert await reader.read(10)
            writer.close()
            await until(ended.is_set)

    async def test_an_upload_to_starlette_ends_with_a_line(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO")
        async with serving(site) as url:
            _, writer = await connect(url)
            writer.write(request("PUT", "/upload", "Content-Length: 100") + b"hello")
            await writer.drain()
            writer.close()
            await until(lambda: "ClientDisconnect" in caplog.text)
            await all_ended()
        assert self.told_in(caplog) == []

    @pytest.mark.excuse_noise("Uncaught exception GET /", "500 GET /")
    @pytest.mark.parametrize("answers", [False, True])
    async def test_what_fails_for_another_reason_is_an_error(
        self, answers: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        begun, enough = asyncio.Event(), asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            begun.set()
            await enough.wait()
            try:
                raise ArithmeticError("five")
            except ArithmeticError:
                if answers:
                    await send({**START, "status": 500})
                raise

        application = Application([at("", app)])
        async with running(application) as url:
            _, writer = await connect(url)
            writer.write(request("GET", "/"))
            await begun.wait()
            [handler, *_] = handlers_at_work(application, asyncio.get_running_loop()).values()
            writer.close()
            await until(lambda: handler.has_left)  # type: ignore[attr-defined]
            enough.set()
            await all_ended()
        [record] = [r for r in caplog.records if "Uncaught" in r.getMessage()]
        assert record.exc_info and record.exc_info[0] is ArithmeticError
        assert "500 GET /" in caplog.text

    @pytest.mark.parametrize("more", [False, True])
    async def test_who_sends_all_at_once_is_told_if_there_is_more(
        self, more: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        ended: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            try:
                await send(body(bytes(MUCH), more))
                ended.append(None)
            except OSError as error:
                ended.append(type(error))

        async with serving(app) as url:
            reader, writer = await connect(url)
            writer.write(request("GET", "/"))
            assert await reader.read(10)
            assert not ended
            writer.transport.abort()
            await until(lambda: ended)
            await all_ended()
        assert ended == [ClientLeft if more else None]
        assert self.told_in(caplog) == []


class TestEnd:
    """When the server stops, so does what the application does for its visitors."""

    @pytest.mark.parametrize("method", ["GET", "PUT"])
    @pytest.mark.parametrize("has_answered", [False, True])
    async def test_an_application_that_waits_is_cancelled_once_and_may_tidy(
        self, method: str, has_answered: bool
    ) -> None:
        begun = asyncio.Event()
        ended: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if has_answered:
                await send(START)
                await send(body(b"one"))
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                for _ in range(100):
                    await asyncio.sleep(0)
                ended.append(await receive())

        async with serving(app) as url:
            _, writer = await connect(url)
            writer.write(request(method, "/", *["Content-Length: 5"] * (method == "PUT")))
            await begun.wait()
        assert ended == [{"type": "http.disconnect"}]
        writer.close()

    @pytest.mark.parametrize("has_sent", [False, True])
    @pytest.mark.parametrize("is_upload", [False, True])
    async def test_a_handler_that_is_cancelled_ends_the_application(
        self, has_sent: bool, is_upload: bool
    ) -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if has_sent:
                await send(START)
                await send(body(b"one", True))
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        application = Application([at("", app)])
        async with running(application) as url:
            reader, writer = await connect(url)
            writer.write(request("PUT", "/", *["Content-Length: 5"] * is_upload))
            await begun.wait()
            # Of the two tasks of a request, that in which Tornado runs the handler.
            at_work = handlers_at_work(application, asyncio.get_running_loop())
            [task] = [task for task in at_work if "_execute" in repr(task.get_coro())]
            task.cancel()
            async with asyncio.timeout(PATIENCE):
                answer = Answer(await reader.read())
            writer.close()
            await until(ended.is_set)
        assert answer.status == (200 if has_sent else 503)
        assert answer.is_whole is not has_sent

    async def test_leaves_no_task_and_no_descriptor(
        self, open_descriptors: Callable[[], int]
    ) -> None:
        async def leave(url: str, data: bytes) -> None:
            _, writer = await connect(url)
            writer.write(data)
            await writer.drain()
            writer.transport.abort()

        before, tasks = open_descriptors(), asyncio.all_tasks()
        async with serving(site) as url:
            visits: list[Awaitable[Any]] = [ask(url, "GET", "/lines") for _ in range(10)]
            visits += [
                leave(url, request("PUT", "/upload", "Content-Length: 9") + b"x")
                for _ in range(10)
            ]
            visits += [leave(url, request("GET", "/lines?count=100000")) for _ in range(10)]
            await asyncio.gather(*visits)
        await until(lambda: asyncio.all_tasks() == tasks)
        await until(lambda: open_descriptors() <= before)


def test_is_a_route_for_all_below_a_path() -> None:
    pattern, handler, settings = at("/a.b", site, largest=5)
    assert handler is AsgiHandler
    assert settings == {"app": site, "root_path": "/a.b", "largest": 5}
    matches = [
        bool(re.fullmatch(pattern, path)) for path in ["/a.b", "/a.b/c", "/aXb", "/a.bc"]
    ]
    assert matches == [True, True, False, False]


@pytest.mark.parametrize("path", ["/", "/theirs/", "theirs", "/thé", "/the irs"])
def test_is_no_route_where_nothing_would_be_found(path: str) -> None:
    with pytest.raises(ValueError, match="is not a path such as"):
        at(path, site)
