"""Applications of every sort that Tornado allows, each with what a film says of it.

Nothing here depends on the speed of the machine: the clock goes on when it is told, and what
blocks ends when somebody has seen where it stands.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ClassVar, NamedTuple, TypeVar

from tornado import gen, locks, queues
from tornado.concurrent import run_on_executor
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
    ResponseStartLine,
)
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.iostream import IOStream
from tornado.netutil import bind_sockets
from tornado.routing import (
    HostMatches,
    Matcher,
    PathMatches,
    ReversibleRuleRouter,
    Rule,
    RuleRouter,
)
from tornado.tcpserver import TCPServer
from tornado.web import (
    Application,
    ErrorHandler,
    FallbackHandler,
    RedirectHandler,
    RequestHandler,
    StaticFileHandler,
    authenticated,
    stream_request_body,
)
from tornado.websocket import WebSocketClientConnection, WebSocketHandler, websocket_connect
from tornado.wsgi import WSGIContainer

import loopfilm
from loopfilm import Film, film, labelled, lane, running_apart, where
from tests.loopfilm.servers import HANGS, clock, meet, together, turns_of_the_loop
from tornalet import tornalet, wait

# -- what blocks -------------------------------------------------------------------------------

LOOKS = 6  # enough to outnumber those that a busy machine had before


class Looks:
    """Counts how often somebody has looked where a thread stands."""

    def __init__(self) -> None:
        self.count = 0
        self._look = where.place_of_thread

    def __call__(self, thread: int) -> Any:
        place = self._look(thread)
        self.count += 1
        return place

    def go_on(self, times: int = LOOKS) -> Iterator[None]:
        """Go on until somebody has looked a few times."""
        enough = self.count + times
        while self.count < enough:
            assert any(each.name == "loopfilm" for each in threading.enumerate())
            yield


looks = Looks()

# A library that blocks: what lies in a folder of this name is nobody's own code.
LIBRARY = """
def busy(with_what):
    for _ in looks.go_on():
        time.sleep(0.001)
    clock.block()
"""
_names: dict[str, Any] = {"looks": looks, "time": time, "clock": clock}
exec(compile(LIBRARY, "/site-packages/library.py", "exec"), _names)
busy: Callable[[str], None] = _names["busy"]


# -- the table ---------------------------------------------------------------------------------


class Case(NamedTuple):
    """An application, and what a film of it says.

    Attributes:
        make: makes the film.
        text: what the film says of it.
        held: who held the loop, and with which call, as often as somebody did.
    """

    make: Callable[[], Coroutine[Any, Any, Film]]
    text: str
    held: list[str]


CASES: dict[str, Case] = {}
T = TypeVar("T")
ADA = "/?user=ada"
GRACE = "/?user=grace"


def says(
    text: str, *held: str, visits: tuple[str, ...] = (ADA,), **settings: Any
) -> Callable[[T], T]:
    """Put a handler, or a function that makes a film, into the table."""

    def note(what: T) -> T:
        async def visit() -> Film:
            assert isinstance(what, type)
            app = Application([("/.*", what)], log_function=lambda _: None, **settings)
            return await visited(app, visits)

        name = getattr(what, "__name__", "")
        assert name not in CASES
        make: Any = visit if isinstance(what, type) else what
        CASES[name] = Case(make, text, list(held))
        return what

    return note


visited = partial(loopfilm.visited, patience=HANGS)


@contextlib.contextmanager
def serving(app: Any, **options: Any) -> Iterator[str]:
    """A server as anybody starts it."""
    [sock] = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(app, **options)
    server.add_sockets([sock])
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.stop()


async def ask(url: str, **options: Any) -> HTTPResponse:
    """What a client gets who goes away when all hangs, and not because the machine is busy."""
    return await AsyncHTTPClient().fetch(
        url, connect_timeout=HANGS, request_timeout=HANGS, **options
    )


async def fetched(app: Any, **options: Any) -> Film:
    """A film of a server as anybody starts it, while ada asks for something."""
    with serving(app) as url, film() as f:
        await ask(url + ADA, raise_error=False, follow_redirects=False, **options)
    return f


async def raw(app: Any, data: bytes) -> Film:
    """A film of a server to which somebody sends these bytes, and reads until it closes."""
    with serving(app) as url, film() as f:
        reader, writer = await connection_to(url)
        writer.write(data)
        await reader.read()
        writer.close()
        await turns_of_the_loop(10)
    return f


async def connection_to(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))


# The clients of the case that is run.
SOCKETS: list[WebSocketClientConnection] = []


async def socket_to(url: str, user: str) -> WebSocketClientConnection:
    SOCKETS.append(await websocket_connect(f"ws{url.removeprefix('http')}/?user={user}"))
    return SOCKETS[-1]


async def and_close_sockets(make: Callable[[], Awaitable[Film]]) -> Film:
    """Make a film, and close what it opened: a client that is left to the collector complains.

    It does so in whichever test runs then.
    """
    try:
        return await make()
    finally:
        while SOCKETS:
            SOCKETS.pop().close()


# -- every hook of a handler -------------------------------------------------------------------


class Answers(RequestHandler):
    def get(self) -> None:
        self.write("done")

    post = get


@says("ada: alone. Nobody held the loop.")
class Plain(Answers):
    pass


@says("ada: alone. ada held the loop.", 'ada: busy("initialize")')
class Initialize(Answers):
    def initialize(self) -> None:
        busy("initialize")


@says("ada: alone. ada held the loop.", 'ada: busy("prepare")')
class Prepare(Answers):
    def prepare(self) -> None:
        busy("prepare")


@says("ada: alone. ada held the loop.", 'ada: busy("prepare")')
class PrepareLater(Answers):
    async def prepare(self) -> None:
        await asyncio.sleep(0)
        busy("prepare")


@says("ada: alone. ada held the loop.", 'ada: busy("get")')
class Get(RequestHandler):
    def get(self) -> None:
        busy("get")


@says("ada: alone. ada held the loop.", 'ada: busy("headers")')
class SetDefaultHeaders(Answers):
    def set_default_headers(self) -> None:
        busy("headers")


@says("ada: alone. ada held the loop.", 'ada: busy("etag")')
class ComputeEtag(Answers):
    def compute_etag(self) -> str | None:
        busy("etag")
        return None


@says("ada: alone. ada held the loop.", 'ada: busy("tidy")')
class OnFinish(Answers):
    def on_finish(self) -> None:
        busy("tidy")


@says("ada: alone. ada held the loop.", 'ada: busy("error")')
class WriteError(RequestHandler):
    def get(self) -> None:
        self.send_error(418)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        busy("error")
        self.finish()


@says("ada: alone. ada held the loop.", 'ada: busy("user")')
class CurrentUser(RequestHandler):
    @authenticated
    def get(self) -> None:
        self.write("done")

    def get_current_user(self) -> str:
        busy("user")
        return "ada"


@says("ada: alone. ada held the loop.", 'ada: busy("login")')
class LoginUrl(RequestHandler):
    @authenticated
    def get(self) -> None:
        self.write("done")

    def get_login_url(self) -> str:
        busy("login")
        return "/login"


@says("ada: alone. ada held the loop.", 'ada: busy("log")')
async def log_function() -> Film:
    app = Application([("/", Answers)], log_function=lambda _: busy("log"))
    return await visited(app, [ADA])


@says("ada: alone. ada held the loop.", 'ada: busy("raises")')
class Raises(RequestHandler):
    def get(self) -> None:
        busy("raises")
        raise ZeroDivisionError

    def log_exception(self, *args: Any) -> None:
        pass


@says("ada: alone. ada held the loop.", 'ada: busy("after")')
class AfterItsAnswer(RequestHandler):
    async def get(self) -> None:
        await self.finish("done")
        busy("after")


@says("ada: alone. Nobody held the loop.")
class NotModified(Answers):
    def check_etag_header(self) -> bool:
        return True


@says("ada: alone. ada held the loop.", 'ada: busy("options")')
async def options() -> Film:
    class Options(RequestHandler):
        def options(self) -> None:
            busy("options")

    return await fetched(Application([("/", Options)]), method="OPTIONS")


@says("ada: alone. ada held the loop.", 'ada: busy("head")')
async def head() -> Film:
    class Head(RequestHandler):
        def head(self) -> None:
            busy("head")

    return await fetched(Application([("/", Head)]), method="HEAD")


@stream_request_body
class Upload(RequestHandler):
    def data_received(self, chunk: bytes) -> None:
        busy("chunk")

    def post(self) -> None:
        self.write("done")


@says("ada: alone. ada held the loop.", 'ada: busy("chunk")')
async def data_received() -> Film:
    return await fetched(Application([("/", Upload)]), method="POST", body=b"hi")


@stream_request_body
class UploadLater(RequestHandler):
    async def data_received(self, chunk: bytes) -> None:
        await asyncio.sleep(0)
        busy("chunk")

    def post(self) -> None:
        self.write("done")


@says("ada: alone. ada held the loop.", 'ada: busy("chunk")')
async def data_received_later() -> Film:
    return await fetched(Application([("/", UploadLater)]), method="POST", body=b"hi")


@says("ada: alone. ada held the loop.", 'ada: busy("gone")')
async def on_connection_close() -> Film:
    here, gone = asyncio.Event(), asyncio.Event()

    class Gone(RequestHandler):
        async def get(self) -> None:
            here.set()
            await gone.wait()

        def on_connection_close(self) -> None:
            busy("gone")
            gone.set()

    with serving(Application([("/", Gone)])) as url, film() as f:
        _, writer = await connection_to(url)
        writer.write(b"GET /?user=ada HTTP/1.1\r\nHost: x\r\n\r\n")
        await here.wait()
        writer.close()
        await gone.wait()
        await turns_of_the_loop()
    return f


# -- every way to a handler --------------------------------------------------------------------


class Slow(Matcher):
    def match(self, request: HTTPServerRequest) -> dict[str, Any]:
        busy("match")
        return {}


@says("ada: alone. ada held the loop.", 'ada: busy("match")')
async def own_matcher() -> Film:
    return await visited(Application([Rule(Slow(), Answers)]), [ADA])


@says("ada: alone. ada held the loop.", 'ada: busy("get")')
async def rule_router() -> Film:
    inner = Application([("/", Get)], log_function=lambda _: None)
    return await visited(RuleRouter([Rule(PathMatches("/.*"), inner)]), [ADA])


@says("ada: alone. ada held the loop.", 'ada: busy("get")')
async def reversible_router() -> Film:
    inner = ReversibleRuleRouter([(r"/.*", Application([("/", Get)]))])
    return await fetched(RuleRouter([Rule(HostMatches("127.*"), inner)]))


@says("ada: alone. ada held the loop.", 'ada: busy("get")')
async def hosts() -> Film:
    app = Application(default_host="here.example", log_function=lambda _: None)
    app.add_handlers("here.example", [("/", Get)])
    return await visited(app, [ADA])


@says("ada: alone. Nobody held the loop.")
async def error_handler() -> Film:
    app = Application([("/", ErrorHandler, {"status_code": 410})], log_function=lambda _: None)
    return await visited(app, [ADA])


@says("ada: alone. Nobody held the loop.")
async def nothing_there() -> Film:
    return await visited(Application([], log_function=lambda _: None), [ADA])


@says("ada: alone. Nobody held the loop.")
async def redirect_handler() -> Film:
    return await visited(Application([("/", RedirectHandler, {"url": "/b"})]), [ADA])


class Files(StaticFileHandler):
    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        busy("file")
        return super().validate_absolute_path(root, absolute_path)


@says("/servers.py: alone. /servers.py held the loop.", '/servers.py: busy("file")')
async def static_file_handler() -> Film:
    app = Application([("/(.*)", Files, {"path": __file__.rpartition("applications")[0]})])
    return await visited(app, ["/servers.py"])


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    busy("wsgi")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]


@says("ada: alone. ada held the loop.", 'ada: busy("wsgi")')
async def wsgi_container() -> Film:
    return await fetched(WSGIContainer(wsgi))


@says("ada: alone. ada held the loop.", 'ada: busy("wsgi")')
async def fallback_handler() -> Film:
    rule = ("/", FallbackHandler, {"fallback": WSGIContainer(wsgi)})
    return await fetched(Application([rule], log_function=lambda _: None))


@says("ada: alone. Nobody held the loop.")
async def wsgi_container_with_threads() -> Film:
    with ThreadPoolExecutor() as threads:
        return await fetched(WSGIContainer(wsgi_apart, executor=threads))


def wsgi_apart(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]


def respond(request: HTTPServerRequest) -> None:
    busy("function")
    assert request.connection
    line = ResponseStartLine("HTTP/1.1", 200, "OK")
    request.connection.write_headers(line, HTTPHeaders({"Content-Length": "0"}))
    request.connection.finish()


@says("ada: alone. ada held the loop.", 'ada: busy("function")')
async def a_function() -> Film:
    return await visited(respond, [ADA])


class Delegate(HTTPServerConnectionDelegate, HTTPMessageDelegate):
    def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:
        self.connection = request_conn
        return self

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> None:
        busy("headers")

    def finish(self) -> None:
        line = ResponseStartLine("HTTP/1.1", 200, "OK")
        self.connection.write_headers(line, HTTPHeaders({"Content-Length": "0"}))
        self.connection.finish()


@says("ada: alone. ada held the loop.", 'ada: busy("headers")')
async def a_delegate() -> Film:
    return await fetched(Delegate())


@says("/a and /b: one after another. /b held the loop.", '/b: busy("get")')
async def two_applications() -> Film:
    first = Application([("/a", Answers)], log_function=lambda _: None)
    second = Application([("/b", Get)], log_function=lambda _: None)
    with serving(first) as a, serving(second) as b, film() as f:
        await ask(f"{a}/a")
        await ask(f"{b}/b")
    return f


@says("ada: alone. ada held the loop.", 'ada: busy("get")')
async def listen() -> Film:
    app = Application([("/", Get)], log_function=lambda _: None)
    server = app.listen(0, "127.0.0.1")
    [sock] = server._sockets.values()
    try:
        with film() as f:
            url = f"http://127.0.0.1:{sock.getsockname()[1]}{ADA}"
            await ask(url)
    finally:
        server.stop()
    return f


# -- names -------------------------------------------------------------------------------------


@says(
    "ada, ada 3 and ada 2: one after another. ada, ada 3 and ada 2 each held the loop.",
    'ada: busy("get")',
    'ada 3: busy("get")',
    'ada 2: busy("get")',
    visits=(ADA, ADA, "/?user=ada+2"),
)
class OfOneName(Get):
    pass


@says("10.1.2.3: alone. 10.1.2.3 held the loop.", '10.1.2.3: busy("get")')
async def a_proxy_in_front() -> Film:
    app = Application(
        [("/", Get)], lane=lambda request: request.remote_ip, log_function=lambda _: None
    )
    with serving(app, xheaders=True) as url, film() as f:
        headers = {"X-Real-Ip": "10.1.2.3"}
        await ask(url, headers=headers)
    return f


@says(
    "a\N{REPLACEMENT CHARACTER}b, <b>, other work and nobody:"
    " one after another. <b> held the loop.",
    '<b>: busy("b")',
)
async def odd_names() -> Film:
    async def work(name: str) -> None:
        await asyncio.sleep(0)
        if name == "<b>":
            busy("b")

    with film() as f:
        for name in ("a\nb", "<b>", "other work", "nobody"):
            with lane(name):
                await asyncio.create_task(work(name))
    return f


# -- connections -------------------------------------------------------------------------------


class GraceBlocks(RequestHandler):
    def get(self) -> None:
        if self.get_argument("user") == "grace":
            busy("grace")


KEPT = b"GET /?user=ada HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /?user=grace HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@says(
    "ada and grace: one after another. grace held the loop.",
    'grace: busy("grace")',
)
async def pipelined() -> Film:
    return await raw(
        Application([("/", GraceBlocks)], log_function=lambda _: None), KEPT + LAST
    )


@says("grace: alone. grace held the loop.", 'grace: busy("grace")')
async def http_1_0() -> Film:
    app = Application([("/", GraceBlocks)], log_function=lambda _: None)
    return await raw(app, b"GET /?user=grace HTTP/1.0\r\n\r\n")


@says("ada and grace: one after another. grace held the loop.", 'grace: busy("grace")')
async def kept_connection() -> Film:
    app = Application([("/", GraceBlocks)], log_function=lambda _: None)
    with serving(app) as url, film() as f:
        reader, writer = await connection_to(url)
        writer.write(KEPT)
        await reader.readuntil(b"\r\n\r\n")
        await turns_of_the_loop(10)
        writer.write(LAST)
        await reader.read()
        writer.close()
    return f


@says("Nobody asked for anything.")
async def nonsense() -> Film:
    return await raw(Application([("/", Get)]), b"nonsense\r\n\r\n")


@says("ada and grace: 2 at once. ada held the loop.", 'ada: busy("chunk")', visits=(ADA, GRACE))
class Streams(RequestHandler):
    waiting: ClassVar[list[Any]] = []

    async def get(self) -> None:
        self.write("one")
        await self.flush()
        await meet({"waiting": self.waiting, "size": 2})
        if self.get_argument("user") == "ada":
            busy("chunk")
        self.write("two")


@says("ada: alone. ada held the loop.", 'ada: busy("detached")')
async def detached() -> Film:
    class Detaches(RequestHandler):
        async def get(self) -> None:
            stream = self.detach()
            await stream.write(b"hello")
            busy("detached")
            stream.close()

    return await raw(Application([("/", Detaches)]), KEPT)


@says("ada and grace: one after another. Nobody held the loop.")
async def after_a_detached_one() -> Film:
    class Detaches(RequestHandler):
        async def get(self) -> None:
            stream = self.detach()
            await stream.write(b"hello")
            stream.close()

    app = Application([("/", Detaches)])
    with serving(app) as url, film() as f:
        for request in (KEPT, LAST):
            reader, writer = await connection_to(url)
            writer.write(request)
            await reader.read()
            writer.close()
    return f


@says("ada and grace: one after another. Nobody held the loop.")
async def half_an_upload() -> Film:
    here, gone = asyncio.Event(), asyncio.Event()

    @stream_request_body
    class Half(RequestHandler):
        async def prepare(self) -> None:
            await asyncio.sleep(0)
            here.set()

        def data_received(self, chunk: bytes) -> None:
            pass

        def on_connection_close(self) -> None:
            super().on_connection_close()
            gone.set()

        def log_exception(self, *args: Any) -> None:
            pass

    with serving(Application([("/upload", Half), ("/", Answers)])) as url, film() as f:
        _, writer = await connection_to(url)
        writer.write(b"POST /upload?user=ada HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
        await here.wait()
        writer.close()
        await gone.wait()
        await turns_of_the_loop()
        await ask(url + GRACE)
    return f


@says("ada: alone. ada held the loop.", 'ada: busy("get")')
async def kept_connection_of_before() -> Film:
    app = Application([("/quick", Answers), ("/", Get)], log_function=lambda _: None)
    with serving(app) as url:
        reader, writer = await connection_to(url)
        writer.write(KEPT.replace(b"/?", b"/quick?"))
        await reader.readuntil(b"done")
        await turns_of_the_loop(10)
        with film() as f:
            writer.write(KEPT.replace(b"Host", b"Connection: close\r\nHost"))
            await reader.read()
        writer.close()
    return f


@says("10.1.2.3: alone. 10.1.2.3 held the loop.", '10.1.2.3: busy("get")')
async def a_kept_proxy_in_front() -> Film:
    app = labelled(Application([("/", Get)], lane=lambda request: request.remote_ip))
    with serving(app, xheaders=True) as url:
        reader, writer = await connection_to(url)
        await turns_of_the_loop(10)
        with film() as f:
            writer.write(LAST.replace(b"Host", b"X-Real-Ip: 10.1.2.3\r\nHost"))
            await reader.read()
        writer.close()
    return f


@says("grace: alone. grace held the loop.", 'grace: busy("headers")')
async def a_delegate_for_all_requests() -> Film:
    """Nobody may take it for that of one request."""
    with serving(Delegate()) as url:
        _, writer = await connection_to(url)
        await turns_of_the_loop(10)
        with film():
            await turns_of_the_loop()
        with film() as f:
            await ask(url + GRACE)
        writer.close()
    return f


@says("grace: alone. grace held the loop.", 'grace: busy("get")')
async def an_upload_of_before() -> Film:
    class Posts(RequestHandler):
        def post(self) -> None:
            busy("get")

    with serving(Application([("/", Posts)], log_function=lambda _: None)) as url:
        reader, writer = await connection_to(url)
        writer.write(
            LAST.replace(b"GET", b"POST").replace(b"Host", b"Content-Length: 2\r\nHost")
        )
        writer.write(b"h")
        await turns_of_the_loop(10)
        with film() as f:
            writer.write(b"i")
            await reader.read()
        writer.close()
    return f


@says("ada: alone. ada held the loop.", 'ada: busy("later")')
async def a_request_of_before() -> Film:
    here, go_on = asyncio.Event(), asyncio.Event()

    class Waits(RequestHandler):
        async def get(self) -> None:
            here.set()
            await go_on.wait()
            busy("later")

    with serving(Application([("/", Waits)], log_function=lambda _: None)) as url:
        asked = asyncio.ensure_future(ask(url + ADA))
        await here.wait()
        with film():
            # Somebody else was here before, and saw nothing of it.
            await turns_of_the_loop()
        with film() as f:
            go_on.set()
            await asked
    return f


# -- WebSockets --------------------------------------------------------------------------------


class Chat(WebSocketHandler):
    def check_origin(self, origin: str) -> bool:
        return True

    def on_message(self, message: str | bytes) -> None:
        if message == "busy":
            busy("message")
        self.write_message(message)


CHAT = Application([("/", Chat)], log_function=lambda _: None)


@says("ada and grace: 2 at once. grace held the loop.", 'grace: busy("message")')
async def websockets() -> Film:
    with serving(CHAT) as url, film() as f:
        ada, grace = await socket_to(url, "ada"), await socket_to(url, "grace")
        for each, message in ((ada, "hi"), (grace, "busy")):
            await each.write_message(message)
            await each.read_message()
    return f


@says("ada and grace: one after another. Nobody held the loop.")
async def websockets_one_after_another() -> Film:
    with serving(CHAT) as url, film() as f:
        for user in ("ada", "grace"):
            one = await socket_to(url, user)
            one.close()
            assert await one.read_message() is None
            await turns_of_the_loop(20)
    return f


@says("ada: alone. ada held the loop.", 'ada: busy("message")')
async def websocket_of_before() -> Film:
    with serving(CHAT) as url:
        ada = await socket_to(url, "ada")
        with film() as f:
            await ada.write_message("busy")
            await ada.read_message()
        ada.close()
    return f


@says("ada: alone. ada held the loop.", 'ada: busy("tick")')
async def websocket_with_a_task_of_before() -> Film:
    here, go_on = asyncio.Event(), asyncio.Event()

    class Ticks(Chat):
        def open(self) -> None:
            self.ticking = asyncio.create_task(self.tick())

        async def tick(self) -> None:
            here.set()
            await go_on.wait()
            busy("tick")
            self.write_message("tick")

    with serving(Application([("/", Ticks)])) as url:
        ada = await socket_to(url, "ada")
        await here.wait()
        with film() as f:
            await ada.write_message("hi")
            await ada.read_message()
            go_on.set()
            await ada.read_message()
    return f


@says("ada: alone. ada held the loop.", 'ada: busy("open")')
async def websocket_open() -> Film:
    class Opens(Chat):
        def open(self) -> None:
            busy("open")

    with serving(Application([("/", Opens)])) as url, film() as f:
        ada = await socket_to(url, "ada")
        await ada.write_message("hi")
        await ada.read_message()
    return f


@says("ada: alone. ada held the loop.", 'ada: busy("open")')
async def websocket_open_later() -> Film:
    class Opens(Chat):
        async def open(self) -> None:
            await asyncio.sleep(0)
            busy("open")
            self.write_message("open")

    with serving(Application([("/", Opens)])) as url, film() as f:
        ada = await socket_to(url, "ada")
        await ada.read_message()
    return f


@says("ada: alone. ada held the loop.", 'ada: busy("close")')
async def websocket_close() -> Film:
    closed = asyncio.Event()

    class Closes(Chat):
        def on_close(self) -> None:
            busy("close")
            closed.set()

    with serving(Application([("/", Closes)])) as url, film() as f:
        (await socket_to(url, "ada")).close()
        await closed.wait()
        await turns_of_the_loop()
    return f


@says("ada: alone. ada held the loop.", 'ada: busy("close")')
async def websocket_lost() -> Film:
    closed = asyncio.Event()

    class Closes(Chat):
        def on_close(self) -> None:
            busy("close")
            closed.set()

    with serving(Application([("/", Closes)])) as url, film() as f:
        ada = await socket_to(url, "ada")
        ada.protocol._abort()  # type: ignore[union-attr]
        await closed.wait()
        await turns_of_the_loop()
    return f


@says("ada: alone. ada held the loop.", 'ada: busy("ping")')
async def websocket_ping() -> Film:
    pinged = asyncio.Event()

    class Pinged(Chat):
        def on_ping(self, data: bytes) -> None:
            busy("ping")
            pinged.set()

    with serving(Application([("/", Pinged)])) as url, film() as f:
        ada = await socket_to(url, "ada")
        ada.ping(b"hi")
        await pinged.wait()
        await turns_of_the_loop()
    return f


@says("ada: alone. ada held the loop.", 'ada: busy("message")')
async def websocket_message_later() -> Film:
    class Later(WebSocketHandler):
        async def on_message(self, message: str | bytes) -> None:
            await asyncio.sleep(0)
            busy("message")
            self.write_message(message)

    with serving(Application([("/", Later)])) as url, film() as f:
        ada = await socket_to(url, "ada")
        await ada.write_message("hi")
        await ada.read_message()
    return f


# -- what a handler starts ---------------------------------------------------------------------


@says(
    "ada and grace: 2 at once. grace held the loop.", 'grace: busy("task")', visits=(ADA, GRACE)
)
class Tasks(RequestHandler):
    waiting: ClassVar[list[Any]] = []

    async def get(self) -> None:
        await meet({"waiting": self.waiting, "size": 2})
        async with asyncio.TaskGroup() as group:
            group.create_task(self.work())
            group.create_task(turns_of_the_loop())

    async def work(self) -> None:
        await asyncio.gather(turns_of_the_loop(), self.deeper())

    async def deeper(self) -> None:
        await asyncio.sleep(0)
        if self.get_argument("user") == "grace":
            busy("task")


@says("ada: alone. ada held the loop.", 'ada: busy("later")')
class CallLater(RequestHandler):
    async def get(self) -> None:
        done = asyncio.Event()

        def later() -> None:
            busy("later")
            done.set()

        IOLoop.current().call_later(0, later)
        await done.wait()


@says("ada: alone. ada held the loop.", 'ada: busy("callback")')
class AddCallback(RequestHandler):
    async def get(self) -> None:
        done = asyncio.Event()

        def callback() -> None:
            busy("callback")
            done.set()

        IOLoop.current().add_callback(callback)
        await done.wait()


async def filmed_to_the_end(handler: type[RequestHandler]) -> Film:
    """A film of ada's request, whose handler goes on after its answer until it sets `done`."""
    app = Application([("/", handler)], done=asyncio.Event(), log_function=lambda _: None)
    with serving(app) as url, film() as f:
        await ask(url + ADA)
        await app.settings["done"].wait()
        await turns_of_the_loop()
    return f


@says("ada: alone. ada held the loop.", 'ada: busy("after")')
async def coroutine_after_its_answer() -> Film:
    class Goes(RequestHandler):
        async def get(self) -> None:
            self.finish("done")
            await asyncio.sleep(0.05)
            busy("after")
            self.settings["done"].set()

    return await filmed_to_the_end(Goes)


@says("ada: alone. ada held the loop.", 'ada: busy("after")')
async def generator_after_its_answer() -> Film:
    class Goes(RequestHandler):
        @gen.coroutine
        def get(self) -> Iterator[Any]:  # type: ignore[override]
            self.finish("done")
            yield gen.sleep(0.05)
            busy("after")
            self.settings["done"].set()

    return await filmed_to_the_end(Goes)


@says("ada: alone. ada held the loop.", 'ada: busy("after")')
async def greenlet_after_its_answer() -> Film:
    class Goes(RequestHandler):
        @tornalet
        def get(self) -> None:
            self.finish("done")
            wait(asyncio.sleep(0.05))
            busy("after")
            self.settings["done"].set()

    return await filmed_to_the_end(Goes)


async def filmed_after(start: Callable[[asyncio.Event], object], *more: str) -> Film:
    """A film of ada's request, which starts something, and of the end of that."""
    done = asyncio.Event()

    class Starts(RequestHandler):
        def get(self) -> None:
            if self.get_argument("user") == "ada":
                start(done)

    app = Application([("/", Starts)], log_function=lambda _: None)
    with serving(app) as url, film() as f:
        await ask(url + ADA)
        for path in more:
            await ask(url + path)
        await done.wait()
        await turns_of_the_loop()
    return f


@says(
    "ada: alone. Something ada started held the loop.",
    'something ada started: busy("after")',
)
async def task_after_the_answer() -> Film:
    tasks: list[Any] = []

    async def work(done: asyncio.Event) -> None:
        await asyncio.sleep(0.05)
        busy("after")
        done.set()

    return await filmed_after(lambda done: tasks.append(asyncio.create_task(work(done))))


@says(
    "ada: alone. Something ada started held the loop.",
    'something ada started: busy("spawned")',
)
async def spawned_callback() -> Film:
    async def work(done: asyncio.Event) -> None:
        await gen.sleep(0.05)
        busy("spawned")
        done.set()

    return await filmed_after(lambda done: IOLoop.current().spawn_callback(work, done))


@says(
    "ada: alone. Something ada started held the loop.",
    'something ada started: busy("timer")',
)
async def timer_after_the_answer() -> Film:
    def work(done: asyncio.Event) -> None:
        busy("timer")
        done.set()

    return await filmed_after(
        lambda done: IOLoop.current().call_later(0.05, work, done) and None
    )


@says(
    "ada: alone. Something ada started held the loop.",
    'something ada started: busy("tick")',
)
async def periodic_callback_of_a_request() -> Film:
    def start(done: asyncio.Event) -> None:
        def tick() -> None:
            busy("tick")
            periodic.stop()
            done.set()

        periodic = PeriodicCallback(tick, 50)
        periodic.start()

    return await filmed_after(start)


@says("ada: alone. Nobody held the loop.", 'other work: busy("tick")')
async def periodic_callback_of_nobody() -> Film:
    done = asyncio.Event()

    def tick() -> None:
        busy("tick")
        periodic.stop()
        done.set()

    periodic = PeriodicCallback(tick, 1)
    with serving(Application([("/", Answers)])) as url, film() as f:
        await ask(url + ADA)
        periodic.start()
        await done.wait()
        await turns_of_the_loop()
    return f


async def filmed_worker(queue: Any) -> Film:
    """A film of a worker that ada's request starts, and that does grace's job."""
    tasks: list[Any] = []

    async def work() -> None:
        while job := await queue.get():
            if job[0] == "grace":
                busy("job")
            job[1].set()

    class Works(RequestHandler):
        async def get(self) -> None:
            if not tasks:
                tasks.append(asyncio.create_task(work()))
            done = asyncio.Event()
            queue.put_nowait((self.get_argument("user"), done))
            await done.wait()

    app = Application([("/", Works)], log_function=lambda _: None)
    with serving(app) as url, film() as f:
        await ask(url + ADA)
        await ask(url + GRACE)
        queue.put_nowait(None)
        await tasks[0]
    return f


@says(
    "ada and grace: one after another. Something ada started held the loop.",
    'something ada started: busy("job")',
)
async def worker_of_asyncio() -> Film:
    return await filmed_worker(asyncio.Queue())


@says("ada: alone. Nobody held the loop.", 'other work: busy("job")')
async def worker_of_the_application() -> Film:
    queue: asyncio.Queue[asyncio.Event] = asyncio.Queue()

    async def work() -> None:
        job = await queue.get()
        busy("job")
        job.set()

    class Works(RequestHandler):
        async def get(self) -> None:
            job = asyncio.Event()
            queue.put_nowait(job)
            await job.wait()

    worker = asyncio.create_task(work())
    await turns_of_the_loop()
    f = await fetched(Application([("/", Works)], log_function=lambda _: None))
    await worker
    return f


@says(
    "ada and grace: one after another. Something ada started held the loop.",
    'something ada started: busy("job")',
)
async def worker_of_tornado() -> Film:
    return await filmed_worker(queues.Queue())


@says(
    "ada and grace: 2 at once. grace held the loop.", 'grace: busy("lock")', visits=(ADA, GRACE)
)
class Locks(RequestHandler):
    lock = locks.Lock()

    async def get(self) -> None:
        async with self.lock:
            await asyncio.sleep(0.05)
            if self.get_argument("user") == "grace":
                busy("lock")


@says("ada: alone. ada held the loop.", 'ada: busy("generator")')
class Generators(RequestHandler):
    @gen.coroutine
    def get(self) -> Iterator[Any]:  # type: ignore[override]
        yield gen.sleep(0)
        yield self.inner()

    @gen.coroutine
    def inner(self) -> Iterator[Any]:
        yield gen.moment
        busy("generator")


@says("ada: alone. ada held the loop.", 'ada: busy("greenlet")')
class Greenlets(RequestHandler):
    @tornalet
    def get(self) -> None:
        wait(asyncio.sleep(0))
        busy("greenlet")


@says("ada: alone. Nobody held the loop.")
class Threads(RequestHandler):
    executor = ThreadPoolExecutor(1)

    async def get(self) -> None:
        await self.apart()
        await IOLoop.current().run_in_executor(None, time.sleep, 0.01)
        await asyncio.to_thread(time.sleep, 0.01)

    @run_on_executor
    def apart(self) -> None:
        time.sleep(0.01)


@says("ada: alone. Nobody held the loop.")
class Subprocess(RequestHandler):
    async def get(self) -> None:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
        await process.wait()


@says("ada: alone. ada held the loop.", 'ada: busy("inner")')
class EagerlyStarted(RequestHandler):
    async def get(self) -> None:
        asyncio.get_running_loop().set_task_factory(
            getattr(asyncio, "eager_task_factory", None)
        )
        await asyncio.create_task(self.inner())

    async def inner(self) -> None:
        busy("inner")


@says("ada: alone. ada held the loop.", 'ada: busy("inner")')
class StartedEagerly(RequestHandler):
    async def get(self) -> None:
        options: dict[str, Any] = {"eager_start": True} if sys.version_info >= (3, 14) else {}
        await asyncio.create_task(self.inner(), **options)

    async def inner(self) -> None:
        await turns_of_the_loop()
        busy("inner")


@says("tea and brew: one after another. tea held the loop.", 'tea: busy("eager")')
async def tasks_that_start_eagerly() -> Film:
    async def eager() -> None:
        busy("eager")
        await asyncio.sleep(0)

    loop = asyncio.get_running_loop()
    loop.set_task_factory(getattr(asyncio, "eager_task_factory", None))
    try:
        with film() as f:
            await asyncio.create_task(eager(), name="tea")
            await asyncio.create_task(brew(), name="brew")
    finally:
        loop.set_task_factory(None)
    return f


@says("ada: alone. Nobody held the loop.")
async def timed_out() -> Film:
    class Late(RequestHandler):
        async def get(self) -> None:
            with contextlib.suppress(asyncio.TimeoutError):
                await gen.with_timeout(IOLoop.current().time(), asyncio.sleep(0.02))

    return await fetched(Application([("/", Late)]))


@says("Nobody asked for anything.", 'other work: busy("get")')
async def requests_that_are_not_drawn() -> Film:
    return await fetched(Application([("/", Get)], lane=None, log_function=lambda _: None))


@says("ada: alone. ada held the loop.", 'ada: busy("get")')
async def a_compressed_upload() -> Film:
    @stream_request_body
    class Posts(RequestHandler):
        async def data_received(self, chunk: bytes) -> None:
            await asyncio.sleep(0)
            assert chunk == b"hello"
            busy("get")

        def post(self) -> None:
            pass

    app = Application([("/", Posts)], log_function=lambda _: None)
    with serving(app, decompress_request=True) as url, film() as f:
        answer = await ask(
            url + ADA,
            method="POST",
            body=gzip.compress(b"hello"),
            headers={"Content-Encoding": "gzip"},
        )
    assert answer.code == 200
    return f


@says("ada and grace: one after another. ada held the loop.", 'ada: busy("cancelled")')
async def a_handler_that_is_cancelled() -> Film:
    class Cancelled(RequestHandler):
        async def get(self) -> None:
            if self.get_argument("user") == "ada":
                task = asyncio.current_task()
                assert task
                task.cancel()
                try:
                    await asyncio.sleep(0)
                finally:
                    busy("cancelled")

    app = Application([("/", Cancelled)], log_function=lambda _: None)
    with serving(app) as url, film() as f:
        _, writer = await connection_to(url)
        writer.write(KEPT)
        await asyncio.sleep(0.05)
        writer.close()
        await turns_of_the_loop(10)
        await ask(url + GRACE)
    return f


# -- without Tornado ---------------------------------------------------------------------------


async def brew(busily: bool = False) -> None:
    await asyncio.sleep(0)
    if busily:
        busy("brew")


async def grind() -> None:
    await asyncio.sleep(0.02)


@says("brew and grind: 2 at once. brew held the loop.", 'brew: busy("brew")')
async def tasks_without_names() -> Film:
    with film() as f:
        async with asyncio.TaskGroup() as group:
            group.create_task(brew(busily=True))
            group.create_task(grind())
    return f


@says("tea and coffee: 2 at once. tea held the loop.", 'tea: busy("brew")')
async def tasks_with_names() -> Film:
    with film() as f:
        async with asyncio.TaskGroup() as group:
            group.create_task(brew(busily=True), name="tea")
            group.create_task(grind(), name="coffee")
    return f


@says("brew, brew 2 and grind: 3 at once. Nobody held the loop.")
async def gathered() -> Film:
    with film() as f:
        await asyncio.gather(brew(), brew(), grind())
    return f


@says(
    "Echo.handle_stream: alone. Echo.handle_stream held the loop.",
    'Echo.handle_stream: busy("echo")',
)
async def a_server_of_its_own_kind() -> Film:
    class Echo(TCPServer):
        async def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
            line = await stream.read_until(b"\n")
            busy("echo")
            await stream.write(line)
            stream.close()

    server = Echo()
    [sock] = bind_sockets(0, "127.0.0.1")
    server.add_sockets([sock])
    with film() as f:
        reader, writer = await connection_to(f"http://127.0.0.1:{sock.getsockname()[1]}")
        writer.write(b"hello\n")
        await reader.read()
        writer.close()
    server.stop()
    return f


@says("ada and grace: one after another. Nobody held the loop.")
async def a_connection_that_stays() -> Film:
    """What is left of a task is not the task."""
    servers: list[asyncio.StreamWriter] = []

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        servers.append(writer)
        writer.write(b"hello")

    async def read(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readexactly(5)
        return reader, writer

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with film() as f:
            reader, writer = await asyncio.create_task(read(port), name="ada")
            clock.now += 0.1
            await asyncio.create_task(grind(), name="grace")
            clock.now += 0.1
            servers[0].close()
            assert await reader.read() == b""
        writer.close()
    return f


@says("fetch and fetch 2: 2 at once. Nobody held the loop.")
async def a_client_of_tornado() -> Film:
    async def fetch(url: str) -> None:
        await asyncio.wait_for(inner(url), HANGS)

    async def inner(url: str) -> None:
        await ask(url)

    with running_apart(together(2)) as url, film() as f:
        await asyncio.gather(fetch(url), fetch(url))
    return f


@says("Nobody asked for anything.")
async def a_client_by_itself() -> Film:
    with running_apart(Application([("/", Answers)])) as url, film() as f:
        await ask(url)
    return f


@says("Nobody asked for anything.", 'other work: busy("later")')
async def waited_for() -> Film:
    async def later() -> None:
        await asyncio.sleep(0)
        busy("later")

    with film() as f:
        await asyncio.wait_for(later(), HANGS)
        await turns_of_the_loop()
    return f


@says("Nobody asked for anything.", 'other work: busy("callback")')
async def callback_of_nobody() -> Film:
    with film() as f:
        asyncio.get_running_loop().call_soon(lambda: busy("callback"))
        await turns_of_the_loop()
    return f
