"""Whoever makes connections in a way of his own makes them, and holds the loop no more.

The answers come from the very loop that a blocking request would hold, for ever. Stock requests
on a thread is the measure.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import requests
import trustme
import urllib3
from requests.adapters import HTTPAdapter
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from urllib3 import connection, connectionpool

from tornalet import run
from trequests import setup_session

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]

WAYS = ["stock", "sockets", "simple", "curl"]


class Turn(RequestHandler):
    """Says who has come, after others had their turn on the loop."""

    async def get(self) -> None:
        await asyncio.sleep(0)
        said = ("Authorization", "X-Proxy")
        self.write({name: self.request.headers.get(name) for name in said})

    def head(self) -> None:
        self.set_status(200)


@asynccontextmanager
async def serving(
    tls: ssl.SSLContext | None = None, handler: type[RequestHandler] = Turn
) -> AsyncIterator[str]:
    server = HTTPServer(Application([(".*", handler)]), ssl_options=tls)
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    try:
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    finally:
        server.stop()
        await server.close_all_connections()


class Way:
    """Runs plain code with stock requests, or with a session that was set up."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, code: Callable[[requests.Session], Any]) -> Any:
        with requests.Session() as session:
            if self.name == "stock":
                return await asyncio.to_thread(code, session)
            with setup_session(session, engine=self.name, outside="raise"):
                return await run(code, session)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    if request.param == "curl":
        pytest.importorskip("pycurl", reason="there is no pycurl for this Python")
    return Way(request.param)


class Own(connection.HTTPConnection):
    """Somebody's own, which counts what goes through it."""

    requests = 0

    def request(self, *args: Any, **options: Any) -> None:
        Own.requests += 1
        super().request(*args, **options)


def connect(self: Any) -> None:
    self.sock = socket.create_connection((self.host, self.port), timeout=500)


def own(self: Any, timeout: Any = None) -> Own:
    return Own(self.host, self.port)


@pytest.mark.parametrize(
    ("owner", "name", "replacement", "counted"),
    [
        (connection.HTTPConnection, "connect", connect, 0),
        (connectionpool.HTTPConnectionPool, "_new_conn", own, 3),
        (connectionpool.HTTPConnectionPool, "_get_conn", own, 3),
    ],
)
async def test_what_makes_connections_is_replaced(
    way: Way,
    owner: Any,
    name: str,
    replacement: Any,
    counted: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Own, "requests", 0)
    monkeypatch.setattr(owner, name, replacement)
    async with serving() as url:

        def three(session: requests.Session) -> list[int]:
            return [session.get(url, timeout=500).status_code for _ in range(3)]

        assert await way(three) == [200] * 3
    assert Own.requests == counted


@pytest.mark.parametrize("name", ["_new_conn", "_get_conn"])
async def test_one_pool_has_its_own_way(
    way: Way, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Own, "requests", 0)
    async with serving() as url:

        def code(session: requests.Session) -> int:
            pool = pool_of(session, url)
            setattr(pool, name, functools.partial(own, pool))
            return session.get(url, timeout=500).status_code

        assert await way(code) == 200
    assert Own.requests == 1


def pool_of(session: requests.Session, url: str) -> Any:
    adapter: Any = session.get_adapter(url)
    request = session.prepare_request(requests.Request("GET", url))
    settings = session.merge_environment_settings(url, {}, None, None, None)
    return adapter.get_connection_with_tls_context(request, settings["verify"])


async def test_a_class_made_of_the_pools_own_keeps_its_connections(way: Way) -> None:
    made = list[Any]()
    async with serving() as url:

        def code(session: requests.Session) -> list[str]:
            pool = pool_of(session, url)

            class Named(pool.ConnectionCls):  # type: ignore[misc]
                def __init__(self, *args: Any, **options: Any) -> None:
                    super().__init__(*args, **options)
                    made.append(self)

                def putheader(self, header: str, *values: Any) -> None:
                    names.append(header)
                    super().putheader(header, *values)

            names = list[str]()
            pool.ConnectionCls = Named
            for _ in range(2):
                session.get(url, timeout=500, headers={"X-A": "1"})
            return [name for name in names if name == "X-A"]

        # An exchange with a client of Tornado's is no connection that a pool makes.
        assert await way(code) in (["X-A"] * 2, [])
    assert len(made) <= 1 or way.name in ("simple", "curl")


async def test_what_a_pool_or_a_connection_is_told_is_taken(way: Way) -> None:
    """Each of them may be given another class than it has."""

    def code(session: requests.Session) -> None:
        pool = pool_of(session, "http://127.0.0.1:9")
        pool.QueueCls = type(pool.pool)
        made = pool._new_conn()
        made.response_class = made.response_class
        made.close()

    await way(code)


@pytest.mark.parametrize("owner", [connection.HTTPConnection, None])
async def test_a_socket_that_talks_in_its_own_way_does_so(
    way: Way, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it would have hidden is not sent as it is: here the name and password."""
    authority = trustme.CA()
    on_server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(on_server)
    context = ssl.create_default_context()
    authority.configure_trust(context)

    def wrapped(sock: socket.socket) -> ssl.SSLSocket:
        return context.wrap_socket(sock, server_hostname="127.0.0.1")

    if owner:
        original = owner._new_conn
        monkeypatch.setattr(owner, "_new_conn", lambda self: wrapped(original(self)))
    else:
        create = urllib3.util.connection.create_connection
        monkeypatch.setattr(
            urllib3.util.connection,
            "create_connection",
            lambda *args, **options: wrapped(create(*args, **options)),
        )
    async with serving(on_server) as url:

        def code(session: requests.Session) -> Any:
            answers = [session.get(url, auth=("ada", "x"), timeout=500) for _ in range(2)]
            return [answer.json()["Authorization"] for answer in answers]

        # In a thread, so that the handshake does not wait for the loop that it holds.
        assert await way(code) == ["Basic YWRhOng="] * 2


class Loud(socket.socket):
    """Says how often it was asked to send."""

    said = 0

    def sendall(self, *args: Any) -> None:
        Loud.said += 1
        super().sendall(*args)


async def test_a_socket_of_a_class_of_its_own_is_asked(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Loud, "said", 0)
    original = connection.HTTPConnection._new_conn

    def loud(self: Any) -> socket.socket:
        plain = original(self)
        seconds = plain.gettimeout()
        sock = Loud(plain.family, plain.type, plain.proto, plain.detach())
        sock.settimeout(seconds)
        return sock

    monkeypatch.setattr(connection.HTTPConnection, "_new_conn", loud)
    async with serving() as url:

        def code(session: requests.Session) -> Any:
            response = session.get(url, timeout=500, stream=True)
            return response.status_code, sorted(response.json())

        assert await way(code) == (200, ["Authorization", "X-Proxy"])
    assert Loud.said == 1


class Looks(urllib3.Retry):
    """Somebody's own, with no setting that is other than usual."""

    looked = 0

    def increment(self, *args: Any, **options: Any) -> Any:
        Looks.looked += 1
        return super().increment(*args, **options)


async def test_retries_of_a_class_of_their_own_are_no_usual_ones(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Looks, "looked", 0)
    with requests.Session() as session:
        retries = Looks(0, read=False)
        session.mount("http://", HTTPAdapter(max_retries=retries))

        def code(url: str) -> None:
            with pytest.raises(requests.ConnectionError):
                session.get(url, timeout=500)

        nobody = "http://127.0.0.1:9"
        if way.name == "stock":
            await asyncio.to_thread(code, nobody)
        else:
            with setup_session(session, engine=way.name, outside="raise"):
                await run(code, nobody)
    assert Looks.looked == 1


@pytest.mark.parametrize("adapter", [HTTPAdapter, functools.partial(HTTPAdapter, 20)])
async def test_what_was_put_on_a_pool_before_the_setup_stays(
    way: Way, adapter: Callable[[], HTTPAdapter]
) -> None:
    calls = list[str]()
    with requests.Session() as session:
        session.mount("http://", adapter())
        async with serving() as url:
            pool = pool_of(session, url)
            original = pool.urlopen

            def urlopen(method: str, *args: Any, **options: Any) -> Any:
                calls.append(method)
                return original(method, *args, **options)

            pool.urlopen = urlopen
            get = functools.partial(session.get, url, timeout=500)
            if way.name == "stock":
                await asyncio.to_thread(get)
            else:
                with setup_session(session, engine=way.name, outside="raise"):
                    assert (await run(get)).status_code == 200
    assert calls == ["GET"]


async def test_headers_for_a_proxy_that_were_set_before_the_setup_stay(way: Way) -> None:
    if way.name == "simple":
        pytest.skip("the engine knows no HTTP proxies")
    with requests.Session() as session:
        async with serving() as proxy:
            adapter: Any = session.get_adapter("http://")
            adapter.proxy_manager_for(proxy).proxy_headers["X-Proxy"] = "1"
            get = functools.partial(
                session.get, "http://example.org/", proxies={"http": proxy}, timeout=500
            )
            if way.name == "stock":
                answer = await asyncio.to_thread(get)
            else:
                with setup_session(session, engine=way.name, outside="raise"):
                    answer = await run(get)
            assert answer.json()["X-Proxy"] == "1"


async def test_a_word_of_when_to_come_back_is_not_read_if_nobody_asks_for_it(way: Way) -> None:
    class Busy(RequestHandler):
        asked = 0

        def get(self) -> None:
            Busy.asked += 1
            if Busy.asked == 1:
                self.set_status(503)
                self.set_header("Retry-After", "soon")

    def code(session: requests.Session) -> int:
        retries = urllib3.Retry(2, status_forcelist=[503], respect_retry_after_header=False)
        session.mount(url, HTTPAdapter(max_retries=retries))
        return session.get(url, timeout=500).status_code

    async with serving(handler=Busy) as url:
        assert await way(code) == 200


async def test_a_setting_that_grows_in_its_place_is_noticed(way: Way) -> None:
    if way.name in ("simple", "curl"):
        pytest.skip("the engine has no place for it")
    async with serving() as url:

        def code(session: requests.Session) -> bool:
            adapter: Any = session.get_adapter(url)
            options = list[Any]()
            adapter.poolmanager.connection_pool_kw["socket_options"] = options
            session.get(url, timeout=500)
            before = pool_of(session, url)
            options.append((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1))
            return pool_of(session, url) is not before

        assert await way(code)


async def test_whatever_verify_is_goes_as_far_as_without(way: Way) -> None:
    async with serving() as url:

        def code(session: requests.Session) -> int:
            return session.get(url, verify=[], timeout=500).status_code

        assert await way(code) == 200


async def test_no_log_tells_a_password(way: Way, caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as url:

        def code(session: requests.Session) -> int:
            with caplog.at_level(logging.DEBUG):
                return session.get(url, auth=("ada", "secret"), timeout=500).status_code

        assert await way(code) == 200
    assert "YWRhOnNlY3JldA" not in caplog.text
