"""What others have put in the place of parts of urllib3 and of sockets is not passed over.

Stock requests is the measure: whatever a replacement sees there, it sees here, and what it
forbids is not reached. An engine that cannot do that says so, and sends nothing.
"""

from __future__ import annotations

import functools
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter
from tornado.web import Application, RequestHandler
from urllib3 import HTTPHeaderDict
from urllib3.connection import HTTPConnection
from urllib3.util import connection as connecting

from loopfilm import running_apart
from tests.paths import ROOT
from tornalet import run
from trequests import setup_session
from trequests.engines.replaced import replaced

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


def test_the_readme_has_each_part_and_what_each_engine_does() -> None:
    text = (ROOT / "trequests" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)`.* \| (\w+) \| (\w+) \| (\w+) \|$", text, re.MULTILINE)
    parts = {name for name, *_ in rows}
    with ExitStack() as all_of_them:
        for guard in (guarded_connect, *GUARDS[2:4], guarded_families):
            all_of_them.enter_context(guard())
        found = {*replaced()}
        all_of_them.enter_context(guarded_sockets())
        found |= {*replaced()}
    assert parts == found | {"socket.getaddrinfo"}
    for name, *engines in rows:
        simple = "honoured" if name == "socket.getaddrinfo" else "refused"
        assert engines == ["honoured", simple, "refused"]


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
