"""A request has a lane of its own, and the server answers as it would without."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.netutil import bind_sockets
from tornado.routing import PathMatches, Rule, RuleRouter
from tornado.web import Application, RequestHandler, stream_request_body
from tornado.websocket import WebSocketHandler, websocket_connect

from loopfilm import by_user, film, labelled, lane, running, watch
from loopfilm.everywhere import every_loop
from loopfilm.lanes import LANE
from tests.loopfilm.servers import HANGS, turns_of_the_loop


class WhoAmI(RequestHandler):
    def get(self) -> None:
        mine = LANE.get()
        self.write(mine.name if mine else "nobody")


async def raw(port: int, request: bytes, *, hang_up: bool = False) -> bytes:
    """Send bytes, and return all that comes until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    if hang_up:
        writer.write_eof()
    answer = await reader.read()
    writer.close()
    return re.sub(rb"Date: [^\r]*\r\n", b"", answer)


@contextlib.contextmanager
def serving(app: Any, **options: Any) -> Iterator[int]:
    [sock] = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(app, **options)
    server.add_sockets([sock])
    try:
        yield sock.getsockname()[1]
    finally:
        server.stop()


def request_for(path: str) -> HTTPServerRequest:
    line = RequestStartLine("GET", path, "HTTP/1.1")
    return HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": "127.0.0.1"}))


async def test_a_function_that_names_no_request_does_not_break_it() -> None:
    def named(request: HTTPServerRequest) -> str:
        return request.headers["X-Nowhere"]

    async with running(Application([("/a", WhoAmI)], lane=named)) as url:
        response = await AsyncHTTPClient().fetch(f"{url}/a?b=c")
    assert response.body == b"/a"


@pytest.mark.parametrize("name", [5, b"ada", ["ada"]])
def test_what_is_no_text_is_no_name(name: Any) -> None:
    app = Application([("/a", WhoAmI)], lane=lambda _: name)
    assert [answer.body for answer in watch(app, ["/a?b=c"]).answers] == ["/a"]


@pytest.mark.parametrize("named", [lambda request: request.headers["X"], lambda _: 5])
async def test_nor_does_it_break_a_film_of_a_request_that_is_under_way(named: Any) -> None:
    class Waits(RequestHandler):
        async def get(self) -> None:
            come.set()
            await go_on.wait()

    come, go_on = asyncio.Event(), asyncio.Event()
    with serving(Application([("/a", Waits)], lane=named)) as port:
        client = AsyncHTTPClient(force_instance=True)
        asked = asyncio.ensure_future(client.fetch(f"http://127.0.0.1:{port}/a"))
        await come.wait()
        with film() as f:
            go_on.set()
            await asked
        with every_loop(HANGS):
            pass
        client.close()
    assert f.lanes == ["/a"]


@pytest.mark.parametrize("app", [None, "app", Application])
def test_what_no_server_serves_cannot_be_labelled(app: Any) -> None:
    with pytest.raises(TypeError, match="an application is needed, such as"):
        labelled(app)


async def test_who_wraps_a_method_of_servers_during_a_film_wraps_it_in_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def film_of_ada() -> list[str]:
        with film() as f:
            await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/?user=ada")
        return f.lanes

    # Put back in the end what is there now.
    monkeypatch.setattr(HTTPServer, "start_request", HTTPServer.start_request)
    with serving(Application([("/", WhoAmI)])) as port:
        with film():
            wrapped = HTTPServer.start_request

            def theirs(*args: Any) -> Any:
                return wrapped(*args)

            monkeypatch.setattr(HTTPServer, "start_request", theirs)
            assert await film_of_ada() == ["ada"]
        assert HTTPServer.start_request is theirs
        assert await film_of_ada() == ["ada"]
        assert HTTPServer.start_request is theirs
        response = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/?user=ada")
        assert response.body == b"nobody"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/resources/?user=ada", "ada"),
        ("/?user=ada&user=grace", "grace"),
        ("/?user=%C3%A9", "\N{LATIN SMALL LETTER E WITH ACUTE}"),
        ("/?user=%FF", "\N{REPLACEMENT CHARACTER}"),
        ("/?user=", "/"),
        ("/?user=+", "/"),
        ("/a/b?c=d", "/a/b"),
    ],
)
def test_a_request_is_named_after_its_user_or_its_path(path: str, name: str) -> None:
    assert by_user(request_for(path)) == name


@pytest.mark.parametrize(
    ("setting", "body"),
    [
        ({}, "ada"),
        ({"lane": lambda request: request.headers["Host"][:3]}, "127"),
        ({"lane": lambda request: request.remote_ip}, "127.0.0.1"),
        ({"lane": lambda _: None}, "nobody"),
        ({"lane": None}, "nobody"),
    ],
)
def test_an_application_can_name_its_lanes(setting: dict[str, Any], body: str) -> None:
    f = watch(Application([("/", WhoAmI)], **setting), "/?user=ada")
    assert f.answers == [(200, body)]
    assert f.lanes == ([] if body == "nobody" else [body])


def test_the_lane_of_the_client_stays_with_the_client() -> None:
    async def experiment() -> bytes:
        async with running(Application([("/", WhoAmI)])) as url:
            with lane("client"):
                response = await AsyncHTTPClient().fetch(url)
            assert LANE.get() is None
        return response.body

    assert asyncio.run(experiment()) == b"/"


def test_a_connection_that_is_kept_alive_keeps_no_lane() -> None:
    class Spy(HTTPServerConnectionDelegate):
        def start_request(self, *args: Any) -> Any:
            between.append(LANE.get())
            return labelled(app).start_request(*args)

    class Streamed(WhoAmI):
        def data_received(self, chunk: bytes) -> None:
            pass

        post = WhoAmI.get

    between: list[Any] = []
    app = Application([("/", WhoAmI), ("/streamed", stream_request_body(Streamed))])
    requests = (
        b"GET /?user=ada HTTP/1.1\r\nHost: x\r\n\r\n"
        b"POST /streamed?user=grace HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )

    async def experiment() -> bytes:
        with serving(Spy()) as port:
            return await raw(port, requests)

    answers = asyncio.run(experiment())
    assert re.findall(rb"\r\n\r\n(ada|grace|/)", answers) == [b"ada", b"grace", b"/"]
    assert between[:3] == [None] * 3


def test_whoever_keeps_a_part_of_a_request_may_call_it_later() -> None:
    class Keeps(RequestHandler):
        def get(self) -> None:
            assert self.request.connection
            kept.append(self.request.connection.finish)

    async def experiment() -> None:
        async with running(Application([("/", Keeps)])) as url:
            await AsyncHTTPClient().fetch(url)

    kept: list[Any] = []
    asyncio.run(experiment())
    gc.collect()
    kept[0]()


def test_a_lane_ends_with_its_block() -> None:
    with lane("outer"):
        with pytest.raises(ZeroDivisionError), lane("inner"):
            raise ZeroDivisionError
        assert LANE.get().name == "outer"  # type: ignore[union-attr]
    assert LANE.get() is None


class Everything(RequestHandler):
    def get(self) -> None:
        self.set_etag_header()
        self.write({"ip": self.request.remote_ip, "arguments": repr(self.request.arguments)})

    head = post = put = get


@stream_request_body
class Streaming(RequestHandler):
    async def prepare(self) -> None:
        self.chunks: list[bytes] = []
        await asyncio.sleep(0)

    async def data_received(self, chunk: bytes) -> None:
        self.chunks.append(chunk)
        await asyncio.sleep(0)

    async def post(self) -> None:
        self.write(b"".join(self.chunks))
        await self.flush()
        self.write("more")


HEAD = b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b"
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
RAW_REQUESTS = {
    "get": b"GET /?a=b" + HEAD + b"\r\n",
    "head": b"HEAD /" + HEAD + b"\r\n",
    "http/1.0": b"GET / HTTP/1.0\r\n\r\n",
    "form": b"POST /" + HEAD + FORM,
    "continue": b"POST /" + HEAD + b"Expect: 100-continue\r\n" + FORM,
    "chunked": b"POST /" + HEAD + CHUNKS,
    "streaming": b"POST /streaming" + HEAD + CHUNKS,
    "pipelined": b"GET /?1 HTTP/1.1\r\nHost: x\r\n\r\nGET /?2" + HEAD + b"\r\n",
    "proxied": b"GET /" + HEAD + b"X-Real-Ip: 10.1.2.3\r\n\r\n",
    "not found": b"GET /nowhere" + HEAD + b"\r\n",
    "not allowed": b"DELETE /" + HEAD + b"\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x, y\r\n\r\n",
    "nonsense": b"nonsense\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", RAW_REQUESTS.values(), ids=RAW_REQUESTS)
def test_a_labelled_server_answers_as_a_plain_one_does(request_bytes: bytes) -> None:
    app = Application([("/", Everything), ("/streaming", Streaming)])

    async def answer(served: Any) -> bytes:
        with serving(served, xheaders=True) as port:
            return await raw(port, request_bytes)

    plain = asyncio.run(answer(app))
    assert asyncio.run(answer(labelled(app))) == plain
    assert plain.startswith(b"HTTP/1.1 ")


def test_a_streamed_body_belongs_to_the_lane_from_its_headers_on() -> None:
    seen: list[Any] = []

    @stream_request_body
    class Upload(RequestHandler):
        def prepare(self) -> None:
            seen.append(LANE.get())

        def data_received(self, chunk: bytes) -> None:
            seen.append(LANE.get())

        def post(self) -> None:
            seen.append(LANE.get())

        def on_connection_close(self) -> None:
            seen.append(LANE.get())
            gone.set()

    async def experiment() -> None:
        nonlocal gone
        gone = asyncio.Event()
        with serving(labelled(Application([("/", Upload)]))) as port:
            start = b"POST /?user=ada" + HEAD + b"Content-Length: 2\r\n\r\n"
            await raw(port, start + b"hi")
            await raw(port, start + b"h", hang_up=True)
            await gone.wait()

    gone: asyncio.Event
    asyncio.run(experiment())
    assert [mine.name for mine in seen] == ["ada"] * 6
    assert len({id(mine) for mine in seen}) == 2


def test_a_websocket_has_a_lane_too() -> None:
    class Socket(WebSocketHandler):
        def on_message(self, message: str | bytes) -> None:
            mine = LANE.get()
            self.write_message(f"{mine.name if mine else 'nobody'}: {message!r}")

    async def experiment() -> Any:
        async with running(Application([("/", Socket)])) as url:
            socket = await websocket_connect(f"ws{url.removeprefix('http')}/?user=ada")
            await socket.write_message("hi")
            heard = await socket.read_message()
            socket.close()
            return heard

    assert asyncio.run(experiment()) == "ada: 'hi'"


def test_a_router_can_be_labelled() -> None:
    router = RuleRouter([Rule(PathMatches("/a"), Application([("/a", WhoAmI)]))])

    async def experiment() -> list[bytes]:
        with serving(labelled(router)) as port:
            return [await raw(port, b"GET " + path + HEAD + b"\r\n") for path in (b"/a", b"/b")]

    found, lost = asyncio.run(experiment())
    assert found.endswith(b"/a")
    assert b"404" in lost


class OwnStart(Application):
    def start_request(self, *args: Any) -> Any:
        seen.append("start_request")
        return super().start_request(*args)


class OwnFinding(Application):
    def find_handler(self, *args: Any, **kwargs: Any) -> Any:
        seen.append("find_handler")
        return super().find_handler(*args, **kwargs)


class OwnLog(Application):
    def log_request(self, handler: RequestHandler) -> None:
        seen.append("log_request")


class OwnCall(Application):
    def __call__(self, request: HTTPServerRequest) -> Any:
        raise AssertionError("Tornado does not call an application")


class OwnAddresses(Application):
    def reverse_url(self, name: str, *args: Any) -> str:
        seen.append("reverse_url")
        return f"/{name}"


class Delegate(HTTPServerConnectionDelegate):
    """As little as a server needs, and no router."""

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> Any:
        seen.append("start_request")
        return DelegateRequest(request_conn)


class DelegateRequest(HTTPMessageDelegate):
    def __init__(self, connection: HTTPConnection) -> None:
        self.connection = connection

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> None:
        seen.append(start_line.path)

    def data_received(self, chunk: bytes) -> None:
        seen.append(chunk)

    def finish(self) -> None:
        answer_with_lane(self.connection)


def answer_with_lane(connection: HTTPConnection | None) -> None:
    assert connection
    mine = LANE.get()
    body = mine.name.encode() if mine else b"nobody"
    headers = HTTPHeaders({"Content-Length": str(len(body))})
    connection.write_headers(ResponseStartLine("HTTP/1.1", 200, "OK"), headers, body)
    connection.finish()


def function(request: HTTPServerRequest) -> None:
    seen.append(request.body)
    answer_with_lane(request.connection)


class Named(WhoAmI):
    post = WhoAmI.get


class Reversing(WhoAmI):
    def post(self) -> None:
        self.reverse_url("named")
        self.get()


seen: list[Any] = []
APPLICATIONS: dict[str, tuple[Any, list[Any]]] = {
    "start_request": (OwnStart([("/.*", Named)]), ["start_request"]),
    "find_handler": (OwnFinding([("/.*", Named)]), ["find_handler"]),
    "log_request": (OwnLog([("/.*", Named)]), ["log_request"]),
    "__call__": (OwnCall([("/.*", Named)]), []),
    "reverse_url": (OwnAddresses([("/.*", Reversing)]), ["reverse_url"]),
    "a delegate": (Delegate(), ["start_request", "/?user=ada", b"a=b"]),
    "a function": (function, [b"a=b"]),
    "a router": (RuleRouter([Rule(PathMatches("/.*"), Application([("/.*", Named)]))]), []),
    "a router of functions": (RuleRouter([Rule(PathMatches("/"), function)]), [b"a=b"]),
    "labelled twice": (labelled(Application([("/.*", Named)])), []),
    "labelled in a router": (
        RuleRouter([Rule(PathMatches("/"), labelled(OwnStart([("/", Named)])))]),
        ["start_request"],
    ),
}


@pytest.mark.parametrize(("app", "calls"), APPLICATIONS.values(), ids=APPLICATIONS)
def test_all_is_called_that_a_plain_server_calls(app: Any, calls: list[Any]) -> None:
    async def answer(served: Any) -> tuple[bytes, list[Any]]:
        seen.clear()
        with serving(served) as port:
            answered = await raw(port, b"POST /?user=ada" + HEAD + FORM)
        return answered.rpartition(b"\r\n")[2], list(seen)

    _, of_plain = asyncio.run(answer(app))
    body, of_labelled = asyncio.run(answer(labelled(app)))
    assert body == b"ada"
    assert of_labelled == of_plain
    # A connection begins with a request that may not come, and does so again after each.
    assert list(dict.fromkeys(of_labelled)) == calls


def test_a_request_that_is_malformed_is_left_to_the_application() -> None:
    """Tornado's own applications refuse it; this one does not look at it, and has a lane."""

    async def experiment() -> bytes:
        with serving(labelled(Delegate())) as port:
            return await raw(port, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")

    answer = asyncio.run(experiment())
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"/")


@pytest.mark.parametrize("filming", [contextlib.nullcontext, film])
def test_a_request_leaves_as_little_to_the_garbage_collector_as_without(filming: Any) -> None:
    class Later(RequestHandler):
        async def get(self) -> None:
            await asyncio.sleep(0)
            self.write("hello")

    app = Application([("/", WhoAmI), ("/later", Later)], log_function=lambda _: None)

    async def left_by(served: Any) -> int:
        """How many objects wait in cycles after a hundred requests."""
        with serving(served) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with filming():
                for number in range(101):
                    path = b"/later" if number % 2 else b"/"
                    writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = re.search(rb"Content-Length: (\d+)", head)
                    assert length
                    await reader.readexactly(int(length[1]))
                    if number == 0:
                        gc.collect()
                        gc.freeze()
                        gc.disable()
                # The last request ends when the next could begin.
                await turns_of_the_loop(5)
                left = gc.collect()
            gc.enable()
            writer.close()
        return left

    try:
        plain = asyncio.run(left_by(app))
        assert asyncio.run(left_by(labelled(app))) == plain == 0
    finally:
        gc.enable()


def test_who_is_answered_at_once_by_a_function_was_served() -> None:
    def answer(request: HTTPServerRequest) -> None:
        assert request.connection is not None
        head = ResponseStartLine("HTTP/1.1", 200, "OK")
        request.connection.write_headers(head, HTTPHeaders({"Content-Length": "2"}), b"hi")
        request.connection.finish()

    f = watch(answer, ["ada", "grace"], timeout=HANGS)
    assert str(f) == "ada and grace: one after another. Nobody held the loop."
