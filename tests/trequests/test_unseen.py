"""Adapters that come to a session on ways that nobody sees do not hold the loop.

They are put into its dictionary, or in the place of it; they serve addresses that nobody knows;
a method of the session's own comes by them; they hand on to others; they were there before. In
all of these the answer comes only when the loop has gone on, and what cannot wait on the loop
waits on a thread.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import tempfile
import weakref
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets, bind_unix_socket
from tornado.web import Application, RequestHandler

from tornalet import run
from trequests import setup_session

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]

ENGINES = ["sockets", "simple", "curl"]
each_engine = pytest.mark.parametrize("engine", ENGINES)


class Turn(RequestHandler):
    """Answers in two pieces, each after others had their turn on the loop."""

    async def get(self) -> None:
        await asyncio.sleep(0)
        self.write("two ")
        await self.flush()
        await asyncio.sleep(0)
        self.write("pieces")


@asynccontextmanager
async def serving(path: Path | None = None) -> AsyncIterator[str]:
    """Serve on the very loop that a blocking request would hold, for ever."""
    server = HTTPServer(Application([("/", Turn)]))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    if path:
        server.add_socket(bind_unix_socket(str(path)))
    try:
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}/"
    finally:
        server.stop()
        await server.close_all_connections()


class Mine(HTTPAdapter):
    """An adapter of somebody's own."""


class HandsOn(BaseAdapter):
    """An adapter that has another one."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = HTTPAdapter()

    def send(self, *args: Any, **options: Any) -> Any:
        return self.inner.send(*args, **options)

    def close(self) -> None:
        self.inner.close()


class OnUrllib3(HandsOn):
    """An adapter that has a pool manager, and nothing else of requests."""

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        manager = self.inner.poolmanager
        raw = manager.request(
            "GET", request.url, preload_content=False, retries=False, timeout=60
        )
        return self.inner.build_response(request, raw)


class Renamed(HTTPAdapter):
    """Serves addresses with a scheme of its own."""

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        request.url = request.url.replace("myapp://", "http://")
        return super().send(request, *args, **options)


class MadeEachTime(requests.Session):
    """Has a method of its own that comes by adapters."""

    def get_adapter(self, url: str) -> BaseAdapter:
        return HTTPAdapter()


def into_the_dictionary(session: requests.Session, adapter: BaseAdapter) -> str:
    session.adapters["http://"] = adapter
    return "http://"


def after_it_was_cleared(session: requests.Session, adapter: BaseAdapter) -> str:
    session.adapters.clear()
    session.mount("http://", adapter)
    return "http://"


def another_dictionary(session: requests.Session, adapter: BaseAdapter) -> str:
    session.adapters = OrderedDict({"http://": adapter})
    return "http://"


def a_scheme_of_its_own(session: requests.Session, adapter: BaseAdapter) -> str:
    session.mount("myapp://", adapter)
    return "myapp://"


def a_method_that_has_it(session: requests.Session, adapter: BaseAdapter) -> str:
    session.get_adapter = lambda url: adapter  # type: ignore[method-assign, misc, assignment]
    return "http://"


def a_mount_of_its_own(session: requests.Session, adapter: BaseAdapter) -> str:
    session.mount = vars(session)["adapters"].__setitem__  # type: ignore[method-assign]
    session.mount("http://", adapter)
    return "http://"


Way = Callable[[requests.Session, BaseAdapter], str]
WAYS: list[tuple[Way, Callable[[], BaseAdapter]]] = [
    (into_the_dictionary, HTTPAdapter),
    (into_the_dictionary, Mine),
    (into_the_dictionary, HandsOn),
    (into_the_dictionary, OnUrllib3),
    (after_it_was_cleared, Mine),
    (another_dictionary, HTTPAdapter),
    (another_dictionary, Mine),
    (a_scheme_of_its_own, Renamed),
    (a_method_that_has_it, Mine),
    (a_method_that_has_it, HTTPAdapter),
    (a_mount_of_its_own, Mine),
]


def ids(each: Any) -> str | None:
    return getattr(each, "__name__", None)


def need(engine: str) -> None:
    if engine == "curl":
        pytest.importorskip("pycurl", reason="there is no pycurl for this Python")


@pytest.fixture(params=["for all", "for one"])
def set_up(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Set up all sessions, or the one."""
    if request.param == "for one":
        return setup_session
    return lambda session, **options: setup_session(**options)


@pytest.mark.parametrize(("way", "make"), WAYS, ids=ids)
async def test_it_waits_or_says_that_it_blocks(way: Way, make: Any, set_up: Any) -> None:
    async with serving() as url:
        session = requests.Session()
        with set_up(session, outside="raise"), session:
            adapter = make()
            there = url.replace("http://", way(session, adapter))
            answers = await asyncio.gather(
                *(run(session.get, there, timeout=60) for _ in range(2))
            )
            assert [each.text for each in answers] == ["two pieces"] * 2
            with pytest.raises(RuntimeError, match=r"GET http.* blocks the event loop"):
                session.get(there)
        adapter.close()


@pytest.mark.parametrize("engine", ["simple", "curl"])
@pytest.mark.parametrize("make", [HTTPAdapter, Mine, HandsOn], ids=ids)
async def test_it_waits_with_each_engine(engine: str, make: Any) -> None:
    need(engine)
    async with serving() as url:
        with setup_session(engine=engine, outside="raise"), requests.Session() as session:
            session.adapters["http://"] = make()
            assert (await run(session.get, url, timeout=60)).text == "two pieces"


@each_engine
async def test_a_session_that_is_older_than_the_setup_waits(engine: str) -> None:
    need(engine)
    session = requests.Session()
    before = dict(session.adapters)
    async with serving() as url:
        with setup_session(engine=engine, outside="raise"):
            assert (await run(session.get, url, timeout=60)).text == "two pieces"
            with pytest.raises(RuntimeError, match="blocks the event loop"):
                session.get(url)
        # And is what it was afterwards.
        assert dict(session.adapters) == before
        assert list(session.adapters) == list(before)
        with setup_session(engine="sockets"), session:
            assert (await run(session.get, url, timeout=60)).text == "two pieces"


async def test_of_an_older_session_only_the_addresses_that_were_asked_for() -> None:
    async with serving() as here, serving() as there:
        session, mine = requests.Session(), Mine(max_retries=3)
        session.mount(there, mine)
        with setup_session(mounts=[f"{here}", f"{there}x/"]), session:
            assert (await run(session.get, here, timeout=60)).text == "two pieces"
            assert {*session.adapters} == {here, there, "http://", "https://"}
            with pytest.raises(requests.HTTPError):
                (await run(session.get, f"{there}x/", timeout=60)).raise_for_status()
            copied: Any = session.adapters[f"{there}x/"]
            assert copied is not mine
            assert copied.max_retries.total == 3
        assert {*session.adapters} == {there, "http://", "https://"}


async def test_it_is_kept_from_serving_what_it_did_not_serve() -> None:
    """Who has cleared the adapters wants nobody to ask other addresses."""
    session = requests.Session()
    async with serving() as url:
        with setup_session(outside="raise"), session:
            session.adapters.clear()
            session.adapters[url] = HTTPAdapter()
            assert (await run(session.get, url, timeout=60)).text == "two pieces"
            assert [*session.adapters] == [url]
            with pytest.raises(requests.exceptions.InvalidSchema):
                await run(session.get, "http://elsewhere.example/", timeout=60)


async def test_a_method_that_makes_one_each_time(set_up: Any) -> None:
    session = MadeEachTime()
    async with serving() as url:
        with set_up(session, outside="raise"):
            assert (await run(session.get, url, timeout=60)).text == "two pieces"


def test_a_session_that_was_set_up_goes_with_its_last_user() -> None:
    session = requests.Session()
    setup_session(session)
    gone = weakref.ref(session)
    del session
    assert gone() is None


async def test_an_older_session_goes_with_its_last_user_too() -> None:
    session = requests.Session()
    async with serving() as url:
        with setup_session():
            await run(session.get, url, timeout=60)
            gone = weakref.ref(session)
            del session
            assert gone() is None


# -- unix sockets -----------------------------------------------------------------------------


class UnixConnection(urllib3.connection.HTTPConnection):
    """A connection as those have it who ask servers on this machine."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self.path = path

    def connect(self) -> None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(500)
        sock.connect(self.path)
        self.sock = sock


class UnixPool(urllib3.HTTPConnectionPool):
    """A pool of these."""

    ConnectionCls = UnixConnection

    def __init__(self, path: str) -> None:
        super().__init__("localhost", maxsize=2)
        self.path = path

    def _new_conn(self) -> UnixConnection:
        return UnixConnection(self.path)


class UnixAdapter(HTTPAdapter):
    """An adapter for one server."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.pool = UnixPool(str(path))

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        return self.pool

    def close(self) -> None:
        self.pool.close()


@pytest.fixture
def path() -> Iterator[Path]:
    # The folders of pytest have names that are too long for the path of a socket.
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder, "s")


needs_unix = pytest.mark.skipif(
    not hasattr(socket, "AF_UNIX"), reason="this system has no unix sockets"
)


@needs_unix
@each_engine
@pytest.mark.parametrize("stream", [False, True])
async def test_unix_sockets_wait_as_others_do(engine: str, stream: bool, path: Path) -> None:
    need(engine)

    def ask(session: requests.Session) -> bytes:
        with session.get("http+unix://localhost/", stream=stream, timeout=60) as answer:
            return b"".join(answer.iter_content(3))

    async with serving(path):
        with setup_session(engine=engine, outside="raise"), requests.Session() as session:
            session.mount("http+unix://", UnixAdapter(path))
            answers = await asyncio.gather(*(run(ask, session) for _ in range(2)))
            assert answers == [b"two pieces"] * 2
            with pytest.raises(RuntimeError, match="GET http://localhost/ blocks the event"):
                ask(session)


@needs_unix
async def test_who_gives_up_leaves_nothing_open(path: Path) -> None:
    hold = asyncio.Event()

    class Held(Turn):
        async def get(self) -> None:
            await hold.wait()
            await super().get()

    server = HTTPServer(Application([("/", Held)]))
    server.add_socket(bind_unix_socket(str(path)))
    with setup_session(outside="raise"), requests.Session() as session:
        adapter = UnixAdapter(path)
        session.mount("http+unix://", adapter)
        ask = functools.partial(session.get, "http+unix://localhost/", timeout=500)
        asked = asyncio.ensure_future(run(ask))
        async with asyncio.timeout(500):
            while not server._connections:
                await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        hold.set()
        # The thread gives up what nobody wants any more, and the server sees it.
        async with asyncio.timeout(500):
            while server._connections:
                await asyncio.sleep(0.01)
    server.stop()
