"""The engine "sockets": whatever may have to wait, waits on the loop and holds nobody up."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import functools
import gc
import os
import pickle
import queue
import signal
import socket
import ssl
import sys
import threading
import time
import warnings
import weakref
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
import urllib3
from requests.adapters import HTTPAdapter
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

import tornalet
from loopfilm import running, running_apart
from stormy_demo.backend import Backend
from tornalet import run
from trequests import SocketsAdapter, setup_session
from trequests.engines.polite_queue import PoliteQueue

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]

THREE = ["ada", "grace", "alan"]


@pytest.fixture(autouse=True)
def nobody_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause is waited for, and not slept through, on the thread of the loop."""
    sleep, here = time.sleep, threading.get_ident()

    def refuse(seconds: float) -> None:
        assert threading.get_ident() != here, "slept on the thread of the loop"
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", refuse)


def profile(session: requests.Session, url: str, user: str) -> str:
    answer = session.get(f"{url}/profile", params={"user": user}, timeout=500)
    return str(answer.json()["profile"].split()[0])


async def all_three(session: requests.Session, url: str) -> list[str]:
    """Ask three things at once of a backend that answers when three have been asked."""
    return await asyncio.gather(*(run(profile, session, url, user) for user in THREE))


async def until_asked(backend: Backend) -> None:
    async with asyncio.timeout(500):
        while not backend.asked:
            await asyncio.sleep(0)


def polite_session(**options: Any) -> requests.Session:
    session = requests.Session()
    session.mount("http://", HTTPAdapter(**options))
    setup_session(session)
    return session


# -- proxies ----------------------------------------------------------------------------------


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class Proxy:
    """Speaks SOCKS 5 and HTTP, and notes for which hosts it was asked."""

    def __init__(self) -> None:
        self.asked = list[str]()
        self.talks = set[asyncio.Task[Any] | None]()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.talks.add(asyncio.current_task())
        first = await reader.readexactly(1)
        if first == b"\x05":
            await reader.readexactly((await reader.readexactly(1))[0])
            writer.write(b"\x05\x00")
            head = await reader.readexactly(4)
            size = 4 if head[3] == 1 else (await reader.readexactly(1))[0]
            name = await reader.readexactly(size)
            host = ".".join(map(str, name)) if head[3] == 1 else name.decode()
            port = int.from_bytes(await reader.readexactly(2), "big")
            writer.write(b"\x05\x00\x00\x01" + bytes(6))
            head = b""
        else:
            head = first + await reader.readuntil(b"\r\n\r\n")
            tunnels = head.startswith(b"CONNECT")
            address = head.split(b" ", 2)[1].decode().removeprefix("http://").split("/")[0]
            host, port = address.split(":")[0], int(address.split(":")[1])
            head = b"" if tunnels else head.replace(f"http://{address}".encode(), b"", 1)
            if tunnels:
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        self.asked.append(f"{host}:{port}")
        there, back = await asyncio.open_connection(host, port)
        back.write(head)
        await asyncio.gather(pump(reader, back), pump(there, writer))

    @contextlib.asynccontextmanager
    async def serving(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0, ssl=tls)
        async with server:
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
async def test_requests_through_a_proxy_overlap(scheme: str) -> None:
    proxy, backend = Proxy(), Backend(together=3)
    async with running(backend.app) as url, proxy.serving() as address:
        with polite_session() as session:
            session.proxies = {"http": f"{scheme}://{address}"}
            assert await all_three(session, url) == ["Ada", "Grace", "Alan"]
    assert set(proxy.asked) == {url.removeprefix("http://")}
    assert backend.most == 3


@pytest.mark.parametrize("checked", [True, False], ids=["checked", "unchecked"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_requests_through_a_proxy_with_tls_overlap(
    scheme: str, checked: bool, tmp_path: Path
) -> None:
    """An answer without TLS is passed on by the proxy, one with TLS comes through a tunnel."""
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    proxy, backend = Proxy(), Backend(together=3)
    server = HTTPServer(backend.app, ssl_options=tls if scheme == "https" else None)
    [sock] = bind_sockets(0, "127.0.0.1")
    server.add_socket(sock)
    host = f"127.0.0.1:{sock.getsockname()[1]}"
    session = requests.Session()
    session.trust_env = False
    session.verify = str(tmp_path / "ca.pem") if checked else False
    async with proxy.serving(tls) as address:
        session.proxies = {scheme: f"https://{address}"}
        with setup_session(session, outside="raise"), session, warnings.catch_warnings():
            warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
            answers = await all_three(session, f"{scheme}://{host}")
        await asyncio.gather(*filter(None, proxy.talks))
    server.stop()
    await server.close_all_connections()
    assert answers == ["Ada", "Grace", "Alan"]
    assert proxy.asked == [host] * 3
    assert backend.most == 3


async def test_only_the_time_for_an_answer_may_be_limited_also_behind_a_proxy() -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    proxy, server = Proxy(), HTTPServer(Backend().app, ssl_options=tls)
    [sock] = bind_sockets(0, "127.0.0.1")
    server.add_socket(sock)
    there = f"https://127.0.0.1:{sock.getsockname()[1]}/profile?user=ada"
    limit: Any = urllib3.Timeout(read=500)
    async with proxy.serving() as address:
        with polite_session() as session, warnings.catch_warnings():
            warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
            session.proxies = {"https": f"http://{address}"}
            session.trust_env = session.verify = False
            status = await run(lambda: session.get(there, timeout=limit).status_code)
        await asyncio.gather(*filter(None, proxy.talks))
    server.stop()
    await server.close_all_connections()
    assert status == 200
    assert len(proxy.asked) == 1


async def test_a_copy_of_an_adapter_that_was_undone_is_plain() -> None:
    adapter = SocketsAdapter()
    adapter.undo()
    copied = pickle.loads(pickle.dumps(adapter))
    for manager in (copied.poolmanager, copied.proxy_manager_for("http://127.0.0.1:1")):
        assert type(manager.connection_from_url("http://x")) is urllib3.HTTPConnectionPool


# -- pools and pauses -------------------------------------------------------------------------


class Busy(RequestHandler):
    """Has no time at the first two visits."""

    def get(self) -> None:
        visits = self.settings["visits"]
        visits.append("visit")
        if len(visits) < 3:
            self.set_status(503)
            self.set_header("Retry-After", self.get_argument("after", "0"))
        self.write("welcome")


class Sooner(urllib3.Retry):
    """Takes a second for a hundredth of one."""

    def get_retry_after(self, response: Any) -> float | None:
        seconds = super().get_retry_after(response)
        return seconds and seconds / 100


@pytest.mark.parametrize(
    ("kind", "options", "after", "expected"),
    [
        (urllib3.Retry, {"backoff_factor": 0.01}, "0", [0.02]),
        (Sooner, {"backoff_factor": 0.02}, "1", [0.01, 0.01]),
        (
            Sooner,
            {"backoff_factor": 0.02, "respect_retry_after_header": False},
            "1",
            [0.04],
        ),
    ],
)
async def test_the_pause_before_another_try_is_waited_for(
    kind: type[urllib3.Retry],
    options: dict[str, Any],
    after: str,
    expected: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Where somebody has replaced it, as all tests here have, that is called.
    monkeypatch.undo()
    pauses, sleep = list[float](), asyncio.sleep

    async def noted(seconds: float) -> None:
        if seconds:
            pauses.append(seconds)
        await sleep(seconds)

    monkeypatch.setattr(asyncio, "sleep", noted)
    visits = list[str]()
    retries = kind(3, status_forcelist=[503], **options)
    async with running(Application([("/", Busy)], visits=visits)) as url:
        with polite_session(max_retries=retries) as session:
            answer = await run(session.get, f"{url}/?after={after}", timeout=500)
    assert answer.text == "welcome"
    assert len(visits) == 3
    assert type(retries) is kind
    assert pauses == expected


async def test_a_free_place_in_the_pool_is_waited_for() -> None:
    backend = Backend(0.01)
    async with running(backend.app) as url:
        with polite_session(pool_maxsize=2, pool_block=True) as session:
            many = [run(profile, session, url, "ada") for _ in range(10)]
            assert await asyncio.gather(*many) == ["Ada"] * 10
    assert backend.most == 2


async def test_whoever_gives_up_waiting_for_a_place_passes_it_on() -> None:
    backend = Backend(hold=True)
    async with running(backend.app) as url:
        with polite_session(pool_maxsize=1, pool_block=True) as session:
            tasks = [asyncio.create_task(run(profile, session, url, "ada")) for _ in range(4)]
            await until_asked(backend)
            tasks[1].cancel()
            tasks[2].cancel()
            backend.release("profile")
            done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [done[0], done[3]] == ["Ada", "Ada"]


async def test_a_place_that_only_this_loop_can_give_back_is_not_waited_for() -> None:
    """To block the loop for it would be to wait for ever."""
    backend = Backend(hold=True)
    async with running(backend.app) as url:
        with polite_session(pool_maxsize=1, pool_block=True) as session:
            task = asyncio.create_task(run(profile, session, url, "ada"))
            await until_asked(backend)
            with (
                pytest.warns(RuntimeWarning, match="blocks"),
                pytest.raises(urllib3.exceptions.EmptyPoolError),
            ):
                profile(session, url, "grace")
            backend.release("profile")
            assert await task == "Ada"


def test_one_session_serves_two_loops_and_a_plain_thread() -> None:
    with running_apart(Backend().app) as url, polite_session() as session:
        names = list[str]()

        async def ask() -> None:
            for user in THREE * 5:
                names.append(await run(profile, session, url, user))

        threads = [threading.Thread(target=lambda: asyncio.run(ask())) for _ in range(2)]
        plain = threading.Thread(target=lambda: names.append(profile(session, url, "ada")))
        for thread in (*threads, plain):
            thread.start()
        for thread in (*threads, plain):
            thread.join()
    assert len(names) == 31


class Counted(urllib3.Retry):
    """Retries of a library's own kind."""

    pauses = 0

    def _sleep_backoff(self) -> None:
        Counted.pauses += 1
        time.sleep(0.01)


@pytest.mark.parametrize(
    "retries",
    [
        urllib3.Retry(total=None, status=3, status_forcelist=[503], backoff_factor=0.01),
        Counted(3, status_forcelist=[503]),
    ],
    ids=["no total", "of a kind of its own"],
)
async def test_the_pauses_of_all_kinds_of_retries_are_waited_for(
    retries: urllib3.Retry,
) -> None:
    async with running(Application([("/", Busy)], visits=list[str]())) as url:
        with polite_session(max_retries=retries) as session:
            assert (await run(session.get, url, timeout=500)).text == "welcome"
    if isinstance(retries, Counted):
        assert Counted.pauses == 2


def test_a_place_may_be_given_back_on_another_thread_while_somebody_looks() -> None:
    """In the moment between looking for a place and listening for one."""
    places = PoliteQueue(1)

    def look(block: bool = True, timeout: float | None = None) -> Any:
        monkey.undo()
        try:
            return queue.LifoQueue.get(places, block, timeout)
        finally:
            giver = threading.Thread(target=places.put, args=("place",))
            giver.start()
            giver.join()

    with pytest.MonkeyPatch.context() as monkey:
        monkey.setattr(queue.Queue, "get", lambda self, *args, **kwargs: look(*args, **kwargs))
        assert asyncio.run(run(places.get)) == "place"


async def test_one_place_wakes_one_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is woken, and finds the place taken, waits again."""
    wait, waits = tornalet.wait, 0

    def counted(awaitable: Any) -> Any:
        nonlocal waits
        waits += 1
        return wait(awaitable)

    monkeypatch.setattr(tornalet, "wait", counted)
    places = PoliteQueue(1)
    tasks = [asyncio.create_task(run(places.get)) for _ in range(3)]
    while waits < 3:
        await asyncio.sleep(0)
    for number in range(3):
        places.put(number)
        await tasks[number]
    assert [task.result() for task in tasks] == [0, 1, 2]
    assert waits == 3


# -- addresses --------------------------------------------------------------------------------


async def test_a_name_with_several_addresses_is_tried_at_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def two(host: str, port: int, *args: Any, flags: int = 0) -> Any:
        if flags:
            raise socket.gaierror
        here = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
        return [(*here, ("127.0.0.1", 1)), (*here, ("127.0.0.1", port))]

    async with running(Backend().app) as url:
        monkeypatch.setattr(socket, "getaddrinfo", two)
        with polite_session() as session:
            there = url.replace("127.0.0.1", "somewhere.example")
            assert await run(profile, session, there, "ada") == "Ada"


async def test_an_address_in_brackets_is_reached() -> None:
    try:
        sockets = bind_sockets(0, "::1")
    except OSError:
        pytest.skip("this system has no IPv6")
    server = HTTPServer(Backend().app)
    server.add_sockets(sockets)
    try:
        with polite_session() as session:
            there = f"http://[::1]:{sockets[0].getsockname()[1]}"
            assert await run(profile, session, there, "ada") == "Ada"
    finally:
        server.stop()
        await server.close_all_connections()


listening: list[tuple[str, int]] | None = None


def listen(event: str, args: tuple[Any, ...]) -> None:
    if listening is not None and event == "http.client.connect":
        listening.append(args[1:])


async def test_whoever_audits_connections_is_told_of_each() -> None:
    global listening
    sys.addaudithook(listen)
    async with running(Backend().app) as url:
        with polite_session() as session:
            listening = []
            try:
                await run(profile, session, url, "ada")
                assert listening == [("127.0.0.1", int(url.rpartition(":")[2]))]
            finally:
                listening = None


# -- what belongs to others -------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"max_retries": urllib3.Retry(0, status_forcelist=[503])},
        {"max_retries": 3},
        {"pool_connections": 50},
        {"pool_maxsize": 5},
        {"pool_block": True},
    ],
    ids=str,
)
def test_an_adapter_with_settings_of_its_own_keeps_them(options: dict[str, Any]) -> None:
    mine = HTTPAdapter(**options)
    session = requests.Session()
    session.mount("http://", mine)
    with setup_session(session):
        assert session.get_adapter("http://127.0.0.1/") is mine
    assert mine.poolmanager.pool_classes_by_scheme["http"] is urllib3.HTTPConnectionPool


class OwnManager(urllib3.PoolManager):
    """Makes pools in a way of its own."""


def with_a_manager(adapter: HTTPAdapter) -> None:
    adapter.poolmanager = OwnManager()


def with_options(adapter: HTTPAdapter) -> None:
    adapter.poolmanager.connection_pool_kw["source_address"] = ("127.0.0.1", 0)


def with_pools(adapter: HTTPAdapter) -> None:
    adapter.poolmanager.pool_classes_by_scheme = {"http": urllib3.HTTPConnectionPool}


def with_an_attribute(adapter: HTTPAdapter) -> None:
    adapter.mine = "mine"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "change", [with_a_manager, with_options, with_pools, with_an_attribute]
)
def test_an_adapter_that_somebody_has_changed_stays_mounted(
    change: Callable[[HTTPAdapter], None],
) -> None:
    session = requests.Session()
    mine = session.get_adapter("http://127.0.0.1/")
    assert isinstance(mine, HTTPAdapter)
    change(mine)
    with setup_session(session):
        assert session.get_adapter("http://127.0.0.1/") is mine


class Tunnelling(HTTPAdapter):
    """Makes the pools for proxies before anybody asks for one."""

    def __init__(self, proxy: str) -> None:
        super().__init__(pool_maxsize=5)
        self.proxy_manager_for(proxy)


async def test_proxies_that_an_adapter_knows_already_are_waited_for_too() -> None:
    proxy, backend = Proxy(), Backend(together=3)
    async with running(backend.app) as url, proxy.serving() as address:
        session = requests.Session()
        session.mount("http://", Tunnelling(f"http://{address}"))
        session.proxies = {"http": f"http://{address}"}
        mine = session.get_adapter(url)
        assert isinstance(mine, Tunnelling)
        with setup_session(session), session:
            assert await all_three(session, url) == ["Ada", "Grace", "Alan"]
        [manager] = mine.proxy_manager.values()
        assert manager.pool_classes_by_scheme["http"] is urllib3.HTTPConnectionPool


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_proxies_of_an_adapter_with_settings_are_waited_for_too(scheme: str) -> None:
    proxy, backend = Proxy(), Backend(together=3)
    async with running(backend.app) as url, proxy.serving() as address:
        session = requests.Session()
        session.mount("http://", HTTPAdapter(pool_maxsize=5))
        session.proxies = {"http": f"{scheme}://{address}"}
        with setup_session(session), session:
            assert await all_three(session, url) == ["Ada", "Grace", "Alan"]


async def test_an_adapter_with_classes_of_pools_of_its_own_keeps_them_and_waits() -> None:
    class Own(urllib3.HTTPConnectionPool):
        """A pool of somebody's own."""

    session = requests.Session()
    mine = HTTPAdapter(pool_maxsize=5)
    pools: dict[str, Any] = {"http": Own}
    mine.poolmanager.pool_classes_by_scheme = pools
    session.mount("http://", mine)
    with running_apart(Backend().app) as url, setup_session(session, outside="raise"), session:
        assert await all_three(session, url) == ["Ada", "Grace", "Alan"]
        assert isinstance(mine.poolmanager.connection_from_url(url), Own)
        with pytest.raises(RuntimeError, match=f"GET {url}.* blocks the event loop"):
            profile(session, url, "ada")
    assert mine.poolmanager.pool_classes_by_scheme is pools


async def test_what_others_replace_meanwhile_stays_and_passes_calls_on() -> None:
    class Sent(Exception):
        """What comes of a request here."""

    class Mine(HTTPAdapter):
        def send(self, *args: Any, **options: Any) -> Any:
            raise Sent

    session, mine = requests.Session(), Mine()
    session.mount("http://", mine)
    with setup_session(session, engine="simple", outside="raise"):
        ours = mine.send
        mine.send = theirs = lambda *args, **options: ours(*args, **options)  # type: ignore[method-assign]
    assert mine.send is theirs
    with pytest.raises(Sent):
        session.get("http://127.0.0.1/")
    del mine.send


async def test_after_the_setup_an_adapter_of_others_is_what_it_was() -> None:
    session, mine = requests.Session(), HTTPAdapter(pool_maxsize=5)
    session.mount("http://", mine)
    with running_apart(Backend().app) as url, session:
        with setup_session(session):
            assert await run(profile, session, url, "ada") == "Ada"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert profile(session, url, "ada") == "Ada"


@pytest.mark.parametrize("engine", ["simple", "sockets"])
def test_an_adapter_that_was_changed_goes_with_its_last_user(engine: str) -> None:
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=5))
    setup_session(session, engine=engine)
    gone = weakref.ref(session.get_adapter("http://127.0.0.1/"))
    gc.disable()
    try:
        del session
        assert gone() is None
    finally:
        gc.enable()


def test_what_is_mounted_is_never_missing_while_it_is_replaced() -> None:
    """Another thread may send a request at any moment."""

    class Adapters(OrderedDict[str, Any]):
        def pop(self, *args: Any) -> Any:
            raise AssertionError("was missing for a moment")

    session = requests.Session()
    session.mount("http://a.example/", HTTPAdapter())
    session.adapters = Adapters(session.adapters)
    with setup_session(session, ["http://a.example/", "http://"]):
        assert isinstance(session.get_adapter("http://a.example/"), SocketsAdapter)
    assert not isinstance(session.get_adapter("http://a.example/"), SocketsAdapter)


def test_the_same_address_twice_is_one() -> None:
    session = requests.Session()
    with setup_session(session, ["http://a.example/", "http://a.example/"]):
        assert isinstance(session.get_adapter("http://a.example/"), SocketsAdapter)
    assert list(session.adapters) == ["https://", "http://"]


def test_addresses_of_a_scheme_that_nobody_serves_may_be_set_up() -> None:
    session = requests.Session()
    with setup_session(session, "ftp://a.example/"):
        assert isinstance(session.get_adapter("ftp://a.example/"), SocketsAdapter)
    assert list(session.adapters) == ["https://", "http://"]


@pytest.mark.parametrize("name", ["time.sleep", "urllib3.Retry.sleep"])
async def test_pauses_that_somebody_has_replaced_stay_replaced(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests do that, to have no pauses; this one would take a quarter of an hour."""
    pauses = list[Any]()
    monkeypatch.setattr(name, lambda *args: pauses.append(args))
    retries = urllib3.Retry(3, status_forcelist=[503], backoff_factor=1000)
    async with running(Application([("/", Busy)], visits=list[str]())) as url:
        with polite_session(max_retries=retries) as session:
            async with asyncio.timeout(300):
                answer = await run(session.get, url, timeout=500)
    assert answer.text == "welcome"
    assert pauses


@pytest.mark.parametrize("by_place", [True, False])
async def test_retries_that_are_a_number_are_waited_for(
    by_place: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So adapters ask that know urllib3 better than requests."""
    monkeypatch.undo()
    pauses, sleep = list[float](), asyncio.sleep

    async def noted(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", noted)

    class Mine(HTTPAdapter):
        def send(self, request: Any, *args: Any, **options: Any) -> Any:
            pool: Any = self.get_connection_with_tls_context(request, True)
            asked = (None, {}, 3) if by_place else ()
            named = {} if by_place else {"retries": 3}
            answer = pool.urlopen("GET", "/?after=1", *asked, **named)
            return self.build_response(request, answer)

    visits = list[str]()
    async with running(Application([("/", Busy)], visits=visits)) as url:
        with requests.Session() as session, setup_session(session):
            session.adapters["http://"] = Mine()
            answer = await run(session.get, url)
    assert (answer.status_code, len(visits)) == (200, 3)
    assert [each for each in pauses if each] == [1, 1]


async def test_the_pause_before_another_try_blocks_where_nobody_can_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    retries = urllib3.Retry(3, status_forcelist=[503], backoff_factor=0.01)
    with (
        running_apart(Application([("/", Busy)], visits=list[str]())) as url,
        polite_session(max_retries=retries) as session,
        pytest.warns(RuntimeWarning, match="blocks") as caught,
    ):
        assert session.get(url, timeout=500).text == "welcome"
    assert len(caught) == 1


def is_polite(adapter: HTTPAdapter) -> bool:
    """Whether an adapter of somebody else's is changed."""
    return adapter.poolmanager.pool_classes_by_scheme["http"] is not urllib3.HTTPConnectionPool


def test_addresses_are_the_same_in_capital_letters() -> None:
    mine, other = HTTPAdapter(pool_maxsize=5), HTTPAdapter(pool_maxsize=5)
    with setup_session(mounts="HTTP://A.Example/"):
        session = requests.Session()
        session.mount("http://a.EXAMPLE/x", mine)
        session.mount("http://b.example/", other)
        assert is_polite(mine)
        assert not is_polite(other)


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda session: pickle.loads(pickle.dumps(session))]
)
async def test_a_copy_of_a_session_waits_with_its_copies_of_adapters(
    copied: Callable[[requests.Session], requests.Session],
) -> None:
    with setup_session():
        session = requests.Session()
        session.mount("http://", HTTPAdapter(pool_maxsize=5))
        with copied(session) as again:
            async with running(Backend(together=3).app) as url:
                assert await all_three(again, url) == ["Ada", "Grace", "Alan"]


async def test_of_the_setups_that_last_the_latest_counts() -> None:
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=5))
    with (
        running_apart(Backend().app) as url,
        setup_session(session, outside="block"),
        setup_session(session, outside="raise"),
    ):
        with setup_session(session, outside="block"):
            assert profile(session, url, "ada") == "Ada"
        with pytest.raises(RuntimeError, match="blocks the event loop"):
            profile(session, url, "ada")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_in_the_middle_of_a_setup_may_set_up_too() -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(requests.Session):
        def mount(self, prefix: Any, adapter: Any) -> None:
            if "slow" in prefix:
                begun.set()
                go_on.wait(500)
            super().mount(prefix, adapter)

    thread = threading.Thread(target=lambda: setup_session(Slow(), "http://slow.example/"))
    thread.start()
    begun.wait(500)
    with warnings.catch_warnings():
        # The thread that is in the middle is there on purpose.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        signal.alarm(500)
        with setup_session():
            fine = isinstance(requests.Session().get_adapter("http://x/"), SocketsAdapter)
        os._exit(0 if fine else 1)
    go_on.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


async def test_some_addresses_keep_the_settings_that_they_had() -> None:
    retries = urllib3.Retry(3, status_forcelist=[503])
    async with running(Application([("/", Busy)], visits=list[str]())) as url:
        session = requests.Session()
        session.mount("http://", HTTPAdapter(max_retries=retries))
        with setup_session(session, url):
            assert (await run(session.get, url, timeout=500)).text == "welcome"
        assert list(session.adapters) == ["https://", "http://"]


def test_a_method_that_somebody_has_replaced_stays_replaced() -> None:
    def send(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        raise LookupError("mine")

    for engine in ("simple", "sockets"):
        session, adapter = requests.Session(), HTTPAdapter()
        adapter.send = send  # type: ignore[method-assign, assignment]
        session.mount("http://", adapter)
        with setup_session(session, engine=engine), pytest.raises(LookupError):
            session.get("http://127.0.0.1/")
        assert adapter.send is send


class Copied(HTTPAdapter):
    """Is copied with all that it has, as plain objects are."""

    def __copy__(self) -> Copied:
        other = type(self).__new__(type(self))
        vars(other).update(vars(self))
        return other

    def send(self, *args: Any, **options: Any) -> Any:
        raise LookupError(self)


@pytest.mark.parametrize("engine", ["simple", "sockets"])
@pytest.mark.parametrize("last_first", [True, False])
def test_a_copy_of_an_adapter_is_itself_and_both_are_put_back(
    engine: str, last_first: bool
) -> None:
    session, mine = requests.Session(), Copied(pool_maxsize=5)
    session.mount("http://", mine)
    before = dict(vars(mine))
    undo = [setup_session(session, each, engine) for each in (None, "http://x.example/")]
    copied = session.get_adapter("http://x.example/")
    assert copied is not mine
    with pytest.raises(LookupError) as raised:
        session.get("http://x.example/")
    assert raised.value.args == (copied,)
    for each in reversed(undo) if last_first else undo:
        each.close()
    assert vars(mine) == vars(copied) == before
    assert type(mine.poolmanager.pool_classes_by_scheme["http"]) is type


@pytest.mark.parametrize("engine", ["simple", "sockets"])
async def test_an_adapter_with_connections_of_its_own_waits_on_threads(engine: str) -> None:
    class Own(HTTPAdapter):
        def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
            return urllib3.HTTPConnectionPool("127.0.0.1", port)

    with running_apart(Backend().app) as url:
        port = int(url.rpartition(":")[2])
        session = requests.Session()
        session.mount("http://", Own(pool_block=True))
        with setup_session(session, engine=engine, outside="raise"):
            assert await all_three(session, url) == ["Ada", "Grace", "Alan"]


@pytest.mark.parametrize("ours_first", [True, False])
def test_others_may_replace_what_sessions_do_and_put_it_back(ours_first: bool) -> None:
    made = list[requests.Session]()
    original = requests.Session.__init__

    if ours_first:
        undo = setup_session()
    below = requests.Session.__init__

    @functools.wraps(below)
    def init(self: requests.Session) -> None:
        made.append(self)
        below(self)

    requests.Session.__init__ = init  # type: ignore[method-assign]
    if not ours_first:
        undo = setup_session()
    assert requests.Session() in made
    undo.close()
    assert requests.Session.__init__ is init
    requests.Session.__init__ = below if ours_first else original  # type: ignore[method-assign]
    with setup_session():
        session = requests.Session()
        assert isinstance(session.get_adapter("http://x/"), SocketsAdapter)
    requests.Session.__init__ = original  # type: ignore[method-assign]
    assert type(requests.Session().get_adapter("http://x/")) is HTTPAdapter


def test_a_session_takes_its_connections_along_without_being_closed(
    open_descriptors: Callable[[], int],
) -> None:
    with running_apart(Backend().app) as url:
        profile(polite_session(), url, "ada")
        before = open_descriptors()
        gc.disable()
        try:
            for _ in range(10):
                profile(polite_session(), url, "ada")
            # Two for each on this side and on that; the other side takes a moment.
            assert open_descriptors() - before <= 12
        finally:
            gc.enable()


# -- outside a greenlet -----------------------------------------------------------------------


async def test_it_can_refuse_to_block_the_loop() -> None:
    session = requests.Session()
    with running_apart(Backend().app) as url, setup_session(session, outside="raise"):
        with pytest.raises(
            RuntimeError, match=r"GET http://.*/profile.* blocks the event loop"
        ):
            session.get(f"{url}/profile?user=ada", timeout=500)
        assert await run(profile, session, url, "ada") == "Ada"
        assert await asyncio.to_thread(profile, session, url, "ada") == "Ada"


async def test_it_can_block_the_loop_and_say_nothing() -> None:
    session = requests.Session()
    with running_apart(Backend().app) as url, setup_session(session, outside="block"):
        assert profile(session, url, "ada") == "Ada"


async def test_a_body_that_is_read_outside_warns_too() -> None:
    class Slow(RequestHandler):
        async def get(self) -> None:
            self.write("one ")
            await self.flush()
            await asyncio.to_thread(go_on.wait, 10)
            self.write("two")

    go_on = threading.Event()
    session = requests.Session()
    with running_apart(Application([("/", Slow)])) as url, setup_session(session):
        answer = await run(session.get, url, stream=True, timeout=500)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            threading.Timer(0.1, go_on.set).start()
            assert answer.text == "one two"
    assert [one.filename for one in caught] == [__file__]


@pytest.mark.parametrize("outside", ["raise", "block"])
async def test_a_body_that_is_read_outside_does_what_was_asked_for(outside: Any) -> None:
    class Half(RequestHandler):
        async def get(self) -> None:
            self.write("one ")
            await self.flush()
            await asyncio.to_thread(go_on.wait, 10)
            self.write("two")

    go_on = threading.Event()
    session = requests.Session()
    with (
        running_apart(Application([("/", Half)])) as url,
        setup_session(session, outside=outside),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")
        answer = await run(session.get, url, stream=True, timeout=500)
        threading.Timer(0.1, go_on.set).start()
        if outside == "block":
            assert answer.text == "one two"
        else:
            with pytest.raises(RuntimeError, match="blocks the event loop"):
                assert answer.text
        answer.close()
        go_on.set()


def test_only_three_things_can_be_done_outside() -> None:
    with pytest.raises(ValueError, match="warn, raise, block"):
        setup_session(outside="wait")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="warn, raise, block"):
        SocketsAdapter("wait")  # type: ignore[arg-type]
