"""Whatever there is only so much of is given back, however the request ends that took it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import queue
import select
import signal
import socket
import ssl
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import requests
import trustme
from requests.adapters import HTTPAdapter
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from loopfilm import running, running_apart
from stormy_demo.backend import Backend
from tornalet import run
from trequests import ENGINES, setup_session
from trequests.engines.per_loop import PerLoop
from trequests.engines.sockets.connections import MAX_LOOKUPS

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]


def session_with(adapter: HTTPAdapter) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    setup_session(session)
    return session


# -- threads -----------------------------------------------------------------------------------


@contextlib.contextmanager
def no_threads() -> Iterator[None]:
    """The system has none left."""

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with pytest.MonkeyPatch.context() as monkey:
        monkey.setattr(threading.Thread, "start", start)
        yield


async def test_a_name_that_no_thread_looks_up_takes_no_place() -> None:
    async with running(Backend().app) as url:
        there = f"{url.replace('127.0.0.1', 'localhost')}/profile?user=ada"
        with setup_session(engine="sockets"):
            for _ in range(MAX_LOOKUPS + 1):
                async with asyncio.timeout(500):
                    with no_threads(), pytest.raises(RuntimeError, match="can't start"):
                        await run(requests.get, there, timeout=500)
            assert (await run(requests.get, there, timeout=500)).status_code == 200


class Names:
    """Looks names up when the script lets it, and counts how many are looked up at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.real = socket.getaddrinfo
        self.go_on = threading.Event()
        self.lock = threading.Lock()
        self.under_way = self.most = 0
        monkeypatch.setattr(socket, "getaddrinfo", self.look_up)

    def look_up(self, *args: Any, **options: Any) -> Any:
        # Also a server that starts looks up where to listen.
        if options.get("flags") or args[0] != "somewhere.example":
            return self.real(*args, **options)
        with self.lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        self.go_on.wait(500)
        with self.lock:
            self.under_way -= 1
        return self.real("127.0.0.1", *args[1:], **options)


async def test_so_many_names_are_looked_up_at_once_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = Names(monkeypatch)
    async with running(Backend().app) as url:
        there = f"{url.replace('127.0.0.1', 'somewhere.example')}/profile?user=ada"
        with setup_session(engine="sockets"):
            more = [
                asyncio.create_task(run(requests.get, there, timeout=500))
                for _ in range(MAX_LOOKUPS + 5)
            ]
            while names.under_way < MAX_LOOKUPS:
                await asyncio.sleep(0.001)
            for _ in range(10):
                await asyncio.sleep(0)
            names.go_on.set()
            answers = await asyncio.gather(*more)
    assert [answer.status_code for answer in answers] == [200] * (MAX_LOOKUPS + 5)
    assert names.most == MAX_LOOKUPS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
async def test_a_fork_has_all_places_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The threads that would give them back are not there."""
    names = Names(monkeypatch)
    with running_apart(Backend().app) as url, setup_session(engine="sockets"):
        there = f"{url.replace('127.0.0.1', 'somewhere.example')}/profile?user=ada"
        asking = [
            asyncio.create_task(run(requests.get, there, timeout=500))
            for _ in range(MAX_LOOKUPS)
        ]
        while names.under_way < MAX_LOOKUPS:
            await asyncio.sleep(0.001)
        with names.lock, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            signal.alarm(500)
            answers = list[int]()

            def ask() -> None:
                there_too = there.replace("somewhere.example", "localhost")
                answer = asyncio.run(run(requests.get, there_too, timeout=500))
                answers.append(answer.status_code)

            try:
                monkeypatch.undo()
                thread = threading.Thread(target=ask)
                thread.start()
                thread.join()
            finally:
                os._exit(0 if answers == [200] else 1)
        ended = await asyncio.to_thread(os.waitpid, child, 0)
        names.go_on.set()
        await asyncio.gather(*asking)
    assert os.waitstatus_to_exitcode(ended[1]) == 0


async def test_a_connection_that_no_thread_makes_is_none() -> None:
    async with running(Backend().app) as url:
        with setup_session(engine="sockets"), no_threads():
            proxies = {"http": "socks5://127.0.0.1:9"}
            with pytest.raises(RuntimeError, match="can't start"):
                await run(requests.get, url, proxies=proxies, timeout=500)
        gc.collect()


class OwnHandshake(ssl.SSLContext):
    """Wraps sockets itself, as contexts do that ask the system whom to trust."""

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        raise LookupError("knows nobody")


class WithContext(HTTPAdapter):
    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self.context)


@contextlib.asynccontextmanager
async def counting_ends() -> AsyncIterator[tuple[str, asyncio.Queue[None]]]:
    """A server that says nothing, and a queue of the clients that have gone."""
    gone = asyncio.Queue[None]()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        gone.put_nowait(None)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", gone


@pytest.mark.parametrize("threads", ["no thread", "a thread"])
async def test_a_handshake_that_comes_to_nothing_leaves_no_socket_open(threads: str) -> None:
    session = session_with(WithContext(OwnHandshake(ssl.PROTOCOL_TLS_CLIENT)))
    none = threads == "no thread"
    async with counting_ends() as (address, gone):
        with (
            no_threads() if none else contextlib.nullcontext(),
            pytest.raises(RuntimeError if none else LookupError),
        ):
            await run(session.get, f"https://{address}/", timeout=500)
        await gone.get()


async def test_a_handshake_that_nobody_waits_for_leaves_no_socket_open() -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(ssl.SSLContext):
        def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
            begun.set()
            go_on.wait(500)
            raise LookupError("knows nobody")

    session = session_with(WithContext(Slow(ssl.PROTOCOL_TLS_CLIENT)))
    async with counting_ends() as (address, gone):
        asking = asyncio.create_task(run(session.get, f"https://{address}/", timeout=500))
        await asyncio.to_thread(begun.wait, 500)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        go_on.set()
        await gone.get()


async def test_a_socket_of_another_class_is_refused_and_closed() -> None:
    class Mine(ssl.SSLSocket):
        __slots__ = ("mine",)

    context, mine = (ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) for _ in range(2))
    mine.sslsocket_class = Mine

    def wrap_socket(*args: Any, **options: Any) -> ssl.SSLSocket:
        options["do_handshake_on_connect"] = False
        return ssl.SSLContext.wrap_socket(mine, *args, **options)

    context.wrap_socket = wrap_socket  # type: ignore[method-assign]
    session = session_with(WithContext(context))
    async with counting_ends() as (address, gone):
        with pytest.raises(RuntimeError, match="would block the event loop"):
            await run(session.get, f"https://{address}/", timeout=500)
        await gone.get()


# -- contexts that shake hands themselves ------------------------------------------------------


class Noting(ssl.SSLContext):
    """Wraps sockets as ever, and notes that it did."""

    noted: list[str]

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        self.noted.append(threading.current_thread().name)
        return super().wrap_socket(*args, **options)


class Talking(ssl.SSLSocket):
    """Receives in a way of its own."""

    def recv_into(self, *args: Any, **options: Any) -> int:
        return super().recv_into(*args, **options)


class Slotted(ssl.SSLSocket):
    """Has a place of its own for something."""

    __slots__ = ("something",)


class Double:
    """Does what a context does, and is none."""

    def __init__(self, context: ssl.SSLContext) -> None:
        vars(self)["context"] = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self.context, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.context, name, value)


@pytest.mark.parametrize("kind", [ssl.SSLSocket, Talking, Slotted, Double])
async def test_a_handshake_of_its_own_is_on_a_thread_and_the_rest_is_waited_for(
    kind: type[Any],
) -> None:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    context = Noting(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    context.noted = []
    given: Any = context
    if kind is Double:
        given = Double(context)
    else:
        context.sslsocket_class = kind
    backend = Backend(together=3)

    def ask(user: str) -> int:
        return session.get(f"{url}/profile?user={user}", timeout=500).status_code

    with session_with(WithContext(given)) as session:
        http = HTTPServer(backend.app, ssl_options=server)
        [sock] = bind_sockets(0, "127.0.0.1")
        http.add_socket(sock)
        url = f"https://127.0.0.1:{sock.getsockname()[1]}"
        try:
            asking = asyncio.gather(*(run(ask, user) for user in ("ada", "grace", "alan")))
            assert await asking == [200] * 3
            assert context.noted == ["trequests"] * 3
        finally:
            http.stop()
            await http.close_all_connections()


# -- descriptors -------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="else there is no such descriptor")
def test_a_loop_that_gets_no_descriptor_gets_one_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none_left() -> Any:
        raise OSError(24, "Too many open files")

    async def twice(url: str) -> int:
        with monkeypatch.context() as monkey:
            monkey.setattr(select, "epoll", none_left)
            with pytest.raises(requests.ConnectionError, match="Too many open files"):
                await run(requests.get, f"{url}/profile?user=ada", timeout=500)
        return (await run(requests.get, f"{url}/profile?user=ada", timeout=500)).status_code

    async def both() -> int:
        async with running(Backend().app) as url:
            return await twice(url)

    with setup_session(engine="sockets"):
        assert asyncio.run(both()) == 200


# -- the places of a pool, and of a client -----------------------------------------------------


class Site(RequestHandler):
    """Hangs, or answers with half of what it promises, or with all."""

    async def get(self, what: str) -> None:
        self.settings["asked"].append(what)
        if what == "hang":
            await asyncio.Event().wait()
        elif what == "half":
            self.set_header("Content-Length", "8")
            self.write("half")
            await self.flush()
            await asyncio.Event().wait()
        else:
            self.write("whole")

    async def post(self, what: str) -> None:
        self.write("whole")


Ask = Callable[..., requests.Response]
End = Callable[[Ask, str], None]


def read(ask: Ask, url: str) -> None:
    assert ask(f"{url}/whole").text == "whole"


def closed(ask: Ask, url: str) -> None:
    ask(f"{url}/half", stream=True).close()


def forgotten(ask: Ask, url: str) -> None:
    ask(f"{url}/half", stream=True)
    gc.collect()


def too_late(ask: Ask, url: str) -> None:
    with pytest.raises(requests.ReadTimeout):
        ask(f"{url}/hang", timeout=(10, 0.05))


def too_late_in_the_middle(ask: Ask, url: str) -> None:
    with pytest.raises((requests.ConnectionError, requests.ReadTimeout)):
        ask(f"{url}/half", timeout=(10, 0.05))


def refused(ask: Ask, url: str) -> None:
    with pytest.raises(requests.ConnectionError):
        ask("http://127.0.0.1:1/")


def too_late_for_tls(ask: Ask, url: str) -> None:
    # A web server would not do: a greeting of TLS has random bytes in it, among them, now and
    # then, the end of a request.
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(requests.Timeout):
        ask(f"https://127.0.0.1:{silent.getsockname()[1]}", timeout=0.05)


def with_a_body_that_raises(ask: Ask, url: str) -> None:
    def body() -> Iterator[bytes]:
        yield b"one"
        raise KeyError("two")

    with pytest.raises(KeyError):
        ask(f"{url}/whole", method="POST", data=body())


def with_a_header_that_is_none(ask: Ask, url: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        ask(f"{url}/whole", headers={"X-Name": "小波"})


def with_a_timeout_that_is_none(ask: Ask, url: str) -> None:
    with pytest.raises(OverflowError):
        ask(f"{url}/whole", timeout=float("inf"))


ENDS = [
    read, closed, forgotten, too_late, too_late_in_the_middle, refused, too_late_for_tls,
    with_a_body_that_raises, with_a_header_that_is_none, with_a_timeout_that_is_none,
]  # fmt: skip


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def one_place(engine: str, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Ask with an engine that has one request under way at once."""
    if engine == "curl":
        pytest.importorskip("pycurl")
    if engine == "sockets":
        session = session_with(HTTPAdapter(pool_maxsize=1, pool_block=True))
    else:
        module = __import__(f"trequests.engines.clients.{engine}", fromlist=["_Client"])
        client = PerLoop(lambda: module._Client(force_instance=True, max_clients=1))
        monkeypatch.setattr(module, "_clients", client)
        session = requests.Session()
        session.trust_env = False
        setup_session(session, engine=engine)

    def ask(url: str, method: str = "GET", **options: Any) -> requests.Response:
        return session.request(method, url, **{"timeout": 500, **options})

    return ask


@contextlib.asynccontextmanager
async def site() -> AsyncIterator[tuple[str, list[str]]]:
    asked = list[str]()
    async with running(Application([(r"/(\w*)", Site)], asked=asked)) as url:
        yield url, asked


@pytest.mark.parametrize("end", ENDS)
async def test_whoever_has_the_only_place_gives_it_back(
    one_place: Ask, end: End, engine: str
) -> None:
    if end is forgotten and engine == "sockets":
        pytest.skip("urllib3's own pools wait for what is forgotten, too")
    async with site() as (url, _):
        await run(end, one_place, url)
        await run(read, one_place, url)


@pytest.mark.parametrize("what", ["hang", "half"])
async def test_whoever_is_cancelled_with_the_only_place_gives_it_back(
    one_place: Ask, what: str
) -> None:
    async with site() as (url, asked):
        asking = asyncio.create_task(run(one_place, f"{url}/{what}"))
        while not asked:
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await run(read, one_place, url)


# The client of "simple" has places without end, and nobody waits for one.
@pytest.mark.parametrize("engine", ["curl", "sockets"], indirect=True)
async def test_whoever_is_cancelled_while_waiting_for_the_only_place_had_none(
    one_place: Ask,
) -> None:
    async with site() as (url, asked):
        first, *others = (asyncio.create_task(run(one_place, f"{url}/hang")) for _ in range(4))
        while not asked:
            await asyncio.sleep(0)
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        asked.clear()
        reading = asyncio.create_task(run(read, one_place, url))
        for _ in range(10):
            await asyncio.sleep(0)
        assert asked == []
        first.cancel()
        await reading
        await asyncio.gather(first, return_exceptions=True)


async def test_code_that_is_closed_while_it_waits_for_a_place_had_none() -> None:
    """It then gives none back, and so nobody gets one too many."""

    def stubborn() -> None:
        with contextlib.suppress(GeneratorExit):
            session.get(f"{url}/profile?user=ada", timeout=500)
        with pytest.raises(RuntimeError, match="nobody awaits"):
            session.get(f"{url}/profile?user=ada", timeout=500)

    backend = Backend(hold=True)
    session = session_with(HTTPAdapter(pool_maxsize=1, pool_block=True))
    async with running(backend.app) as url:
        ask = session.get
        first = asyncio.create_task(run(ask, f"{url}/profile?user=ada", timeout=500))
        while not backend.asked:
            await asyncio.sleep(0)
        waiting = run(stubborn)
        waiting.send(None)
        waiting.close()
        others = [
            asyncio.create_task(run(ask, f"{url}/profile?user=ada", timeout=500))
            for _ in range(2)
        ]
        for _ in range(10):
            await asyncio.sleep(0)
        backend.release("profile")
        answers = await asyncio.gather(first, *others)
    assert [answer.status_code for answer in answers] == [200] * 3
    assert backend.most == 1


def test_an_interrupt_while_a_pool_closes_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(places: Any) -> Any:
        raise KeyboardInterrupt

    url = "http://127.0.0.1:1/"
    with session_with(HTTPAdapter(pool_maxsize=1, pool_block=True)) as session:
        adapter = session.get_adapter(url)
        assert isinstance(adapter, HTTPAdapter)
        pool = adapter.poolmanager.connection_from_url(url)
        with monkeypatch.context() as monkey:
            monkey.setattr(queue.LifoQueue, "_get", interrupted)
            with pytest.raises(KeyboardInterrupt):
                pool.close()


# -- what is changed ---------------------------------------------------------------------------


class Picky(requests.Session):
    """Takes no adapter for some addresses."""

    def mount(self, prefix: Any, adapter: Any) -> None:
        if "refused" in prefix:
            raise LookupError(prefix)
        super().mount(prefix, adapter)


@pytest.mark.parametrize("mine", [HTTPAdapter(), HTTPAdapter(pool_maxsize=5)])
@pytest.mark.parametrize("engine", ["simple", "sockets"])
def test_a_session_is_changed_whole_or_not_at_all(engine: str, mine: HTTPAdapter) -> None:
    session = Picky()
    session.mount("http://", mine)
    adapters = dict(session.adapters)
    settings = dict(vars(mine))
    for mounts in (
        ["http://a.example/", "http://refused.example/"],
        ["http://", "http://refused.example/"],
    ):
        with pytest.raises(LookupError):
            setup_session(session, mounts, engine)
        assert dict(session.adapters) == adapters
        assert list(session.adapters) == ["https://", "http://"]
        assert vars(mine) == settings
        assert type(mine.poolmanager.pool_classes_by_scheme["http"]) is type
