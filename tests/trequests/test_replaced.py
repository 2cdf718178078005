"""What others have put in the place of parts of urllib3 and of sockets is not passed over.

Stock requests is the measure: whatever a replacement sees there, it sees here, and what it
forbids is not reached, with each engine.
"""

from __future__ import annotations

import _ssl
import asyncio
import functools
import http.client
import io
import pkgutil
import queue
import re
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import pytest
import requests
import requests_mock
import trustme
import urllib3
from requests.adapters import HTTPAdapter
from tornado.web import Application, RequestHandler
from urllib3 import HTTPHeaderDict
from urllib3.connection import HTTPConnection
from urllib3.contrib import pyopenssl
from urllib3.util import connection as connecting

from loopfilm import running_apart
from tests.paths import ROOT
from tornalet import run
from trequests import setup_session
from trequests.engines.pooled import _SHORTENED
from trequests.engines.replaced import any_of, anything_is_replaced

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]

ENGINES = ["sockets", "simple", "curl"]
Get = Callable[..., requests.Response]


class Seen(RequestHandler):
    """Says which headers have come that begin with an X."""

    def get(self) -> None:
        given = self.request.headers.get_all()
        self.write({"x": sorted(pair for pair in given if pair[0].startswith("X-"))})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_apart(Application([("/", Seen)])) as url:
        yield url


async def stock(url: str, **options: Any) -> requests.Response:
    return requests.get(url, timeout=500, **options)


async def ours(url: str, engine: str = "sockets", **options: Any) -> requests.Response:
    if engine == "curl":
        pytest.importorskip("pycurl", reason="there is no pycurl for this Python")
    with setup_session(engine=engine, outside="raise"):
        return await run(functools.partial(requests.get, url, timeout=500, **options))


class Forbidden(OSError):
    """What a guard raises."""


@contextmanager
def guarded_connect() -> Iterator[None]:
    """Let nobody connect anywhere, as the guards of tests do."""

    def refuse(self: socket.socket, address: Any) -> None:
        raise Forbidden(f"Forbidden: {address}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse, raising=False)
        yield


@contextmanager
def guarded_sockets() -> Iterator[None]:
    """Put another class in the place of sockets, as guards and SOCKS libraries do."""

    class Guarded(socket.socket):
        def connect(self, address: Any) -> None:
            raise Forbidden(f"Forbidden: {address}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", Guarded)
        yield


@contextmanager
def guarded_addresses() -> Iterator[None]:
    """Refuse addresses where urllib3 connects, as guards against requests to inner ones do."""
    original = connecting.create_connection

    @functools.wraps(original)
    def refuse(address: Any, *args: Any, **options: Any) -> Any:
        raise Forbidden(f"Forbidden: {address}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connecting, "create_connection", refuse)
        yield


@contextmanager
def guarded_connections() -> Iterator[None]:
    """The same, one floor above."""

    def refuse(self: HTTPConnection) -> Any:
        raise urllib3.exceptions.NewConnectionError(self, "Forbidden")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPConnection, "_new_conn", refuse)
        yield


@contextmanager
def guarded_names() -> Iterator[None]:
    """Refuse a name when it is looked up."""

    def refuse(host: str, *args: Any) -> Any:
        raise Forbidden(f"Forbidden: {host}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", refuse)
        yield


@contextmanager
def guarded_families() -> Iterator[None]:
    """Let only addresses of another kind be looked up, as those do who want IPv4."""

    def other() -> int:
        raise Forbidden("Forbidden: IPv6")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connecting, "allowed_gai_family", other)
        yield


GUARDS = [
    guarded_connect,
    guarded_sockets,
    guarded_addresses,
    guarded_connections,
    guarded_names,
    guarded_families,
]
each_guard = pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)


@pytest.mark.parametrize("engine", ENGINES)
@each_guard
async def test_what_a_guard_forbids_is_not_reached(url: str, guard: Any, engine: str) -> None:
    with guard(), pytest.raises(requests.ConnectionError, match="Forbidden") as by_stock:
        await stock(url)
    with guard(), pytest.raises(requests.ConnectionError, match="Forbidden") as by_ours:
        await ours(url, engine)
    kinds = [type(each.value.args[0].reason) for each in (by_stock, by_ours)]
    assert kinds[0] is kinds[1]
    assert (await ours(url, engine)).status_code == 200


async def test_a_resolver_of_ones_own_is_asked(url: str) -> None:
    asked = list[str]()
    original, port = connecting.create_connection, int(url.rpartition(":")[2])

    def resolve(address: tuple[str, int], *args: Any, **options: Any) -> socket.socket:
        asked.append(address[0])
        return original(("127.0.0.1", address[1]), *args, **options)

    there = f"http://somewhere.example:{port}/"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connecting, "create_connection", resolve)
        assert (await stock(there)).status_code == 200
        assert (await ours(there)).status_code == 200
    assert asked == ["somewhere.example"] * 2


@pytest.mark.parametrize("how", [stock, *(functools.partial(ours, engine=e) for e in ENGINES)])
async def test_a_header_that_stands_there_twice_is_sent_twice(url: str, how: Get) -> None:
    def twice(request: Any) -> Any:
        request.headers = HTTPHeaderDict(request.headers)
        request.headers.add("X-A", "1")
        request.headers.add("X-A", "2")
        return request

    answer: Any = await how(url, auth=twice)  # type: ignore[misc]
    assert answer.json() == {"x": [["X-A", "1"], ["X-A", "2"]]}


# -- the table in the README ------------------------------------------------------------------

README = (ROOT / "trequests" / "README.md").read_text(encoding="utf-8")
TABLE = re.search(r"\| replaced, or changed \|.*?\n\n", README, re.DOTALL)
assert TABLE
NAMES = [
    name
    for row in TABLE[0].splitlines()[2:]
    for name in re.findall(r"`((?:\w+\.)+\w+)`", row.split(" | ")[0])
]
# What is not called, and has a test of its own below, or above.
VALUES = {
    "http.client.HTTPConnection.debuglevel",
    "http.client.HTTPConnection.response_class",
    "http.client._MAXHEADERS",
    "http.client._MAXLINE",
    "requests.utils",
    "socket.socket",
    "ssl.SSLContext",
    "urllib3.connection.HTTPConnection.default_socket_options",
    "time.sleep",
    "urllib3.connectionpool.HTTPConnectionPool.ConnectionCls",
    "urllib3.connectionpool.HTTPConnectionPool.QueueCls",
    "urllib3.poolmanager.pool_classes_by_scheme",
    "urllib3.util.connection.HAS_IPV6",
    "urllib3.util.retry.Retry.sleep",
    "urllib3.util.ssl_.OP_NO_COMPRESSION",
    "urllib3.util.ssl_.SSLContext",
}
WITH_TLS = (
    "ssl.",
    *("urllib3.connection.create_urllib3_context", "urllib3.connection.resolve_"),
    *("urllib3.connection.ssl_wrap", "urllib3.connection.HTTPS"),
)


def find(name: str) -> tuple[Any, str]:
    """Return what has a part, and the part's name there."""
    path, _, last = name.rpartition(".")
    return pkgutil.resolve_name(path), last


@contextmanager
def spied(name: str) -> Iterator[list[str]]:
    """Put something around a part that notes that it is called."""
    owner, last = find(name)
    original, called = getattr(owner, last), list[str]()

    @functools.wraps(original)
    def spy(*args: Any, **options: Any) -> Any:
        if threading.current_thread().name in OURS:
            called.append(name)
        return original(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, last, spy, raising=False)
        yield called


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Get]:
    """Ask a server with TLS, with the certificates that it is known by."""
    path = str(tmp_path_factory.mktemp("tls") / "authority.pem")
    authority.cert_pem.write_to_path(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=answer, args=(server, context))
        answering.start()

        def ask() -> requests.Response:
            with requests.Session() as session:
                session.trust_env = False
                session.verify = path
                return session.get(f"https://127.0.0.1:{port}/", timeout=500)

        port = server.getsockname()[1]
        yield ask
        # Ends the thread.
        socket.create_connection(("127.0.0.1", port)).close()
        answering.join()


def answer(server: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        plain = server.accept()[0]
        try:
            if not plain.recv(1, socket.MSG_PEEK):
                return
            with context.wrap_socket(plain, server_side=True) as talking:
                talking.recv(65536)
                version = (talking.version() or "").encode()
                talking.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n" + version)
        except OSError:
            # Somebody has gone.
            pass
        finally:
            plain.close()


# Where requests are sent, and not answered.
OURS = {"MainThread", "trequests"}


@pytest.mark.parametrize("name", [each for each in NAMES if each not in VALUES])
async def test_what_stands_in_the_place_of_a_part_is_called(
    url: str, tls: Get, name: str
) -> None:
    ask = tls if name.startswith(WITH_TLS) else functools.partial(requests.get, url)
    with spied(name) as called:
        ask()
        assert called, "stock requests does not call it"
        for engine in ("sockets", "simple"):
            called.clear()
            with setup_session(engine=engine, outside="raise"):
                assert (await run(ask)).status_code == 200
            assert called, engine


def test_the_table_names_nothing_twice_and_nothing_that_there_is_not() -> None:
    assert len({*NAMES}) == len(NAMES)
    assert {*NAMES} >= VALUES
    for name in NAMES:
        owner, last = find(name)
        assert hasattr(owner, last)


def test_nothing_is_taken_for_replaced_that_is_not() -> None:
    """With a version of urllib3 or Python that makes a part otherwise, threads would send."""
    assert not anything_is_replaced(tls=True)
    assert not any_of(_SHORTENED)


async def by_each(ask: Get) -> list[Any]:
    """Ask with stock requests, and with each engine but curl, and return what came of it."""
    results = list[Any]()
    for engine in (None, "sockets", "simple"):
        with setup_session(engine=engine, outside="raise") if engine else nullcontext():
            try:
                answer = await (run(ask) if engine else asyncio.to_thread(ask))
            except requests.ConnectionError as error:
                results.append(type(error.args[0]))
            else:
                results.append(answer.status_code)
    return results


@pytest.mark.parametrize(("name", "value"), [("_MAXHEADERS", 1), ("_MAXLINE", 10)])
async def test_how_much_may_stand_in_headers_may_be_said(
    url: str, monkeypatch: pytest.MonkeyPatch, name: str, value: int
) -> None:
    monkeypatch.setattr(f"http.client.{name}", value)
    # The server's own limits are Tornado's.
    assert (
        await by_each(lambda: requests.get(url, timeout=500))
        == [urllib3.exceptions.ProtocolError] * 3
    )


async def test_what_is_said_can_be_printed(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("http.client.HTTPConnection.debuglevel", 1)
    assert await by_each(lambda: requests.get(url, timeout=500)) == [200] * 3
    assert capsys.readouterr().out.count("send: b'GET / HTTP/1.1") == 3


async def test_answers_may_be_of_another_class(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = list[str]()

    class Noted(http.client.HTTPResponse):
        def begin(self) -> None:
            super().begin()
            begun.append(self.reason)

    monkeypatch.setattr(HTTPConnection, "response_class", Noted)
    assert await by_each(lambda: requests.get(url, timeout=500)) == [200] * 3
    assert begun == ["OK"] * 3


async def test_options_of_all_sockets_are_set(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, alive = HTTPConnection.default_socket_options, (socket.SO_KEEPALIVE, 1)
    given = list[Any]()
    original = socket.socket.setsockopt

    def setsockopt(sock: Any, *option: Any) -> None:
        if threading.current_thread().name not in OURS and option[1:] == alive:
            # Stock requests is on a thread of asyncio, and so are these of Tornado not.
            given.append("stock")
        elif option[1:] == alive:
            given.append("ours")
        original(sock, *option)

    monkeypatch.setattr(socket.socket, "setsockopt", setsockopt, raising=False)
    options.append((socket.SOL_SOCKET, *alive))
    try:
        assert await by_each(lambda: requests.get(url, timeout=500)) == [200] * 3
    finally:
        options.remove((socket.SOL_SOCKET, *alive))
    assert given == ["stock", "ours", "ours"]


async def test_who_wants_no_ipv6_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    families = list[int]()
    original = socket.getaddrinfo

    def noted(host: Any, port: Any, family: int = 0, *args: Any, **options: Any) -> Any:
        families.append(family)
        return original(host, port, family, *args, **options)

    monkeypatch.setattr(connecting, "HAS_IPV6", not connecting.HAS_IPV6)
    monkeypatch.setattr(socket, "getaddrinfo", noted)
    wanted = connecting.allowed_gai_family()
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    await by_each(lambda: requests.get(f"http://127.0.0.1:{port}/", timeout=500))
    assert families == [wanted] * 3


async def test_an_object_that_stands_for_a_function_is_no_function_as_ever(url: str) -> None:
    """Instruments wrap functions into objects that have all that the function has."""

    class Wrapped:
        def __init__(self, wrapped: Any) -> None:
            self.wrapped = wrapped

        def __getattr__(self, name: str) -> Any:
            return getattr(self.wrapped, name)

        def __call__(self, *args: Any, **options: Any) -> Any:
            raise Forbidden("Forbidden: all")

    for owner, name in ((connecting, "create_connection"), (socket, "getaddrinfo")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, name, Wrapped(getattr(owner, name)))
            for engine in ("sockets", "simple"):
                with pytest.raises(requests.ConnectionError, match="Forbidden"):
                    await ours(url, engine)


async def test_certificates_of_the_system_in_the_place_of_a_file(
    tls: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As truststore has it: a class in the place of `ssl.SSLContext`, which shakes hands."""
    shaken, original = list[str](), ssl.SSLContext

    class OfTheSystem(original):  # type: ignore[valid-type, misc]
        # Python's own set them by looking for the class that stands in its place.
        options, verify_flags = _ssl._SSLContext.options, _ssl._SSLContext.verify_flags
        verify_mode = _ssl._SSLContext.verify_mode
        minimum_version = _ssl._SSLContext.minimum_version
        maximum_version = _ssl._SSLContext.maximum_version

        def wrap_socket(self, sock: Any, **options: Any) -> Any:
            options["do_handshake_on_connect"] = False
            talking = super().wrap_socket(sock, **options)
            talking.do_handshake()
            shaken.append("hands")
            return talking

    monkeypatch.setattr(ssl, "SSLContext", OfTheSystem)
    monkeypatch.setattr("urllib3.util.ssl_.SSLContext", OfTheSystem)
    assert await by_each(tls) == [200] * 3
    assert len(shaken) == 3


@pytest.mark.parametrize("engine", [None, "sockets", "simple"])
async def test_the_numbers_that_a_context_is_made_from(
    tls: Get, engine: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody forbids the newest version."""
    older = ssl.OP_NO_COMPRESSION | ssl.OP_NO_TLSv1_3
    monkeypatch.setattr("urllib3.util.ssl_.OP_NO_COMPRESSION", older)
    with (
        setup_session(engine=engine, outside="raise") if engine else nullcontext(),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", DeprecationWarning)
        answer = await (run(tls) if engine else asyncio.to_thread(tls))
    assert answer.text == "TLSv1.2"


async def test_pyopenssl_in_the_place_of_ssl(tls: Get) -> None:
    pyopenssl.inject_into_urllib3()
    try:
        assert await by_each(tls) == [200] * 3
    finally:
        pyopenssl.extract_from_urllib3()


async def test_another_queue_in_the_place_of_urllib3_s(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FirstIn(queue.Queue[Any]):
        """Gives out the connection that was not used for the longest time."""

        def get(self, *args: Any, **options: Any) -> Any:
            taken.append(threading.current_thread().name)
            return super().get(*args, **options)

    def ask() -> requests.Response:
        with requests.Session() as session:
            session.get(url, timeout=500)
            return session.get(url, timeout=500)

    taken = list[str]()
    monkeypatch.setattr(urllib3.HTTPConnectionPool, "QueueCls", FirstIn)
    assert await by_each(ask) == [200] * 3
    assert taken.count("trequests") == 4


# -- recorders and mocks ----------------------------------------------------------------------


@contextmanager
def recording() -> Iterator[dict[str, bytes]]:
    """Record what is asked, and play what was recorded, as vcrpy does.

    A class of connections stands in the place of urllib3's, and has one of these inside.
    """
    tape = dict[str, bytes]()

    class Answer(urllib3.HTTPResponse):
        pass

    class Recorded(HTTPConnection):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.real = HTTPConnection(*args, **options)

        def request(self, method: str, url: str, *args: Any, **options: Any) -> None:
            self.asked = url, (method, url, args, options)

        def getresponse(self) -> Any:
            url, (method, _, args, options) = self.asked
            if url not in tape:
                self.real.request(method, url, *args, **options)
                tape[url] = self.real.getresponse().read()
                self.real.close()
            return Answer(io.BytesIO(tape[url]), status=200, preload_content=False)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urllib3.HTTPConnectionPool, "ConnectionCls", Recorded)
        yield tape


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_recorder_records_and_plays(url: str, engine: str) -> None:
    if engine == "curl":
        pytest.importorskip("pycurl", reason="there is no pycurl for this Python")
    with setup_session(engine=engine, outside="raise"), requests.Session() as session:
        ask = functools.partial(session.get, url, timeout=500)
        before = (await run(ask)).json()
        with recording() as tape:
            recorded = (await run(ask)).json()
            tape["/"] = b'{"x": "played"}'
            assert (await run(ask)).json() == {"x": "played"}
            with pytest.raises(RuntimeError, match="blocks the event loop"):
                ask()
        # What was recorded with is not used any more.
        assert before == recorded == (await run(ask)).json()


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_mock_of_the_adapter_answers_and_lets_through(
    url: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As responses has it: in the place of the method that sends, for all adapters."""
    if engine == "curl":
        pytest.importorskip("pycurl", reason="there is no pycurl for this Python")
    original = HTTPAdapter.send

    def send(adapter: HTTPAdapter, request: Any, **options: Any) -> requests.Response:
        if not request.url.endswith("/mocked"):
            return original(adapter, request, **options)
        raw = urllib3.HTTPResponse(io.BytesIO(b"mocked"), status=200, preload_content=False)
        return adapter.build_response(request, raw)

    monkeypatch.setattr(HTTPAdapter, "send", send)
    with setup_session(engine=engine, outside="raise"), requests.Session() as session:
        session.mount(f"{url}/other", HTTPAdapter(pool_maxsize=3))
        # It holds nobody up, so that the loop may ask, too.
        for path in ("/mocked", "/other/mocked"):
            assert (await run(session.get, url + path)).text == "mocked"
            assert session.get(url + path).text == "mocked"
        assert (await run(session.get, url)).json() == {"x": []}


@pytest.mark.parametrize("first", ["mock", "setup"])
async def test_a_mock_of_sessions_answers_and_lets_through(url: str, first: str) -> None:
    """requests-mock replaces methods of sessions, and puts back what was there before."""
    mock, undo = requests_mock.Mocker(real_http=True), ExitStack()
    older = requests.Session()
    with undo, older:
        if first == "mock":
            undo.enter_context(mock)
        undo.enter_context(setup_session(outside="raise"))
        if first == "setup":
            undo.enter_context(mock)
        mock.get(f"{url}/mocked", text="mocked")
        for session in (requests, older):
            assert (await run(session.get, f"{url}/mocked")).text == "mocked"
            assert (await run(session.get, url)).json() == {"x": []}
        mock.stop()
        assert (await run(requests.get, url)).json() == {"x": []}
        with pytest.raises(RuntimeError, match="blocks the event loop"):
            requests.get(url)
    assert requests.Session.send.__qualname__ == "Session.send"


async def test_doubles_of_sockets_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """As httpretty has it: what is in the place of sockets is none."""
    sent = list[bytes]()

    class Double:
        def __init__(self, *args: Any, **options: Any) -> None:
            self.makefile = lambda *args, **options: io.BytesIO(
                b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nmocked"
            )

        def __getattr__(self, name: str) -> Any:
            return lambda *args, **options: None

        def sendall(self, data: bytes) -> None:
            sent.append(data)

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 9))]
    with monkeypatch.context() as patch:
        patch.setattr(connecting, "create_connection", lambda *args, **options: Double())
        patch.setattr(socket, "socket", Double)
        patch.setattr(socket, "getaddrinfo", lambda *args, **options: found)
        for engine in ("sockets", "simple"):
            with setup_session(engine=engine, outside="raise"):
                answer = await run(requests.get, "http://mocked.example/", timeout=500)
            assert answer.text == "mocked"
    assert len(sent) == 2


# -- the class of pools -----------------------------------------------------------------------


@contextmanager
def pools_of_somebody() -> Iterator[None]:
    """Put a class into the dictionary that all pool managers share, as a library does."""

    class Theirs(urllib3.HTTPConnectionPool):
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(urllib3.poolmanager.pool_classes_by_scheme, "http", Theirs)
        yield


async def test_what_one_library_puts_into_all_pool_managers_makes_nobody_block(
    url: str,
) -> None:
    with pools_of_somebody():
        assert (await ours(url)).status_code == 200


async def test_an_adapter_that_has_such_pools_waits_on_a_thread(url: str) -> None:
    def ask() -> requests.Response:
        with requests.Session() as session:
            session.mount("http://", HTTPAdapter(pool_maxsize=5))
            return session.get(url, timeout=500)

    with pools_of_somebody(), setup_session(outside="raise"):
        assert (await run(ask)).status_code == 200
        with pytest.raises(RuntimeError, match=f"GET {url}/ blocks the event loop"):
            ask()
    with setup_session(outside="raise"):
        assert (await run(ask)).status_code == 200
