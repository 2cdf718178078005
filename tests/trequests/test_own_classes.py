"""Adapters and sessions of classes of somebody's own keep what these have, and wait."""

from __future__ import annotations

import copy
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from tornado.web import Application, RequestHandler

from loopfilm import running_apart
from tornalet import run
from trequests import SocketsAdapter, TornadoAdapter, setup_session

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]


class From(RequestHandler):
    """Says from which address somebody asks."""

    def get(self) -> None:
        self.write(self.request.remote_ip or "")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_apart(Application([("/", From)])) as url:
        yield f"{url}/"


class WithTimeout(HTTPAdapter):
    """Has a variable that requests does not know of."""

    def __init__(self) -> None:
        self.timeout = 500
        super().__init__()

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        return super().send(request, *args, **{**options, "timeout": self.timeout})


class WithContext(HTTPAdapter):
    """Makes its pools of a variable that requests does not know of."""

    def __init__(self) -> None:
        self.context = ssl.create_default_context()
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self.context)


@dataclass
class OfData(HTTPAdapter):
    """Has no hash."""

    name: str = "ada"

    def __post_init__(self) -> None:
        super().__init__()


KINDS = [WithTimeout, WithContext, OfData]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["one", "some of one", "all", "some of all", "older"])
async def test_adapters_keep_what_they_have(
    url: str, kind: Callable[[], BaseAdapter], how: str
) -> None:
    session, mine = requests.Session(), kind()
    mounts = url if how.startswith("some") else None
    options: dict[str, Any] = {"mounts": mounts, "outside": "raise"}
    with session, ExitStack() as undo:
        if "all" in how:
            undo.enter_context(setup_session(**options))
        session.mount("http://", mine)
        if "one" in how:
            undo.enter_context(setup_session(session, **options))
        elif how == "older":
            undo.enter_context(setup_session(**options))
        assert (await run(session.get, url)).text == "127.0.0.1"
        now = session.get_adapter(url)
        assert type(now) is kind
        assert (now is mine) is (mounts is None)
        assert {*vars(now)} >= {*vars(kind())}
        with pytest.raises(RuntimeError, match="blocks the event loop"):
            session.get(url)
        undo.close()
        assert session.get_adapter(url) is mine
        assert {*vars(mine)} == {*vars(kind())}


class Answers(BaseAdapter):
    """Answers without a request, as the adapters of mocks do."""

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        answer = requests.Response()
        answer._content = b"mocked"
        return answer

    def close(self) -> None:
        pass


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("for_all", [False, True])
async def test_some_addresses_are_sent_with_whatever_serves_them(
    url: str, for_all: bool, later: bool
) -> None:
    def setup() -> ExitStack:
        return setup_session(None if for_all else session, url, outside="raise")

    with ExitStack() as undo:
        if for_all:
            undo.enter_context(setup())
        session = undo.enter_context(requests.Session())
        if later:
            undo.enter_context(setup())
            assert (await run(session.get, url)).text == "127.0.0.1"
        session.mount("http://", Answers())
        undo.enter_context(setup())
        assert (await run(session.get, url)).text == "mocked"
        # One adapter after another: each is served with what is mounted at that moment.
        for attempt in (1, 2):
            session.mount("http://", HTTPAdapter(max_retries=attempt))
            assert (await run(session.get, url)).text == "127.0.0.1"
            now: Any = session.get_adapter(url)
            assert now.max_retries.total == attempt
            with pytest.raises(RuntimeError, match="blocks the event loop"):
                session.get(url)
        undo.pop_all().close()
        assert {*session.adapters} == {"http://", "https://"}


async def test_the_latest_setup_for_all_counts_for_older_sessions_too(url: str) -> None:
    older, with_mine = requests.Session(), requests.Session()
    with_mine.mount("http://", HTTPAdapter(pool_maxsize=5))
    before = [dict(each.adapters) for each in (older, with_mine)]
    with setup_session():
        for each in (older, with_mine):
            await run(each.get, url)
        with setup_session(engine="simple", outside="raise"):
            for each in (older, with_mine):
                await run(each.get, url)
                with pytest.raises(RuntimeError, match="blocks the event loop"):
                    each.get(url)
            assert isinstance(older.get_adapter(url), TornadoAdapter)
        assert isinstance(older.get_adapter(url), SocketsAdapter)
        for each in (older, with_mine):
            with pytest.warns(RuntimeWarning, match="blocks the event loop"):
                each.get(url)
    assert [dict(each.adapters) for each in (older, with_mine)] == before


async def test_an_adapter_of_ours_that_somebody_has_mounted_stays(url: str) -> None:
    session = requests.Session()
    session.mount("http://", mine := SocketsAdapter())
    with setup_session(engine="simple"):
        await run(session.get, url)
        assert session.get_adapter(url) is mine


class SendsItself(requests.Session):
    """Sends in a way of its own."""

    def send(self, request: Any, **options: Any) -> Any:
        return self.get_adapter(request.url).send(request)


async def test_what_no_session_of_requests_sends_waits_too(url: str) -> None:
    session, adapter = SendsItself(), HTTPAdapter()
    prepared = requests.Request("GET", url).prepare()
    with session, setup_session(outside="raise"):
        for ask in (lambda: session.get(url), lambda: adapter.send(prepared)):
            assert (await run(ask)).text == "127.0.0.1"
            with pytest.raises(RuntimeError, match="blocks the event loop"):
                ask()
    with setup_session(mounts="http://elsewhere.example/", outside="raise"):
        assert adapter.send(prepared).text == "127.0.0.1"
    adapter.close()


def test_a_copy_with_all_variables_of_a_session_is_not_set_up() -> None:
    class Whole(requests.Session):
        def __getstate__(self) -> Any:
            return vars(self)

        def __setstate__(self, state: Any) -> None:
            vars(self).update(state)

    session = Whole()
    with setup_session(session):
        copied = copy.copy(session)
        assert {*vars(copied)} == {*vars(requests.Session())}


# -- the pools of an adapter ------------------------------------------------------------------


async def test_settings_of_pools_may_be_changed_at_any_time(url: str) -> None:
    def ask() -> list[str]:
        first = session.get(url).text
        adapter: Any = session.get_adapter(url)
        adapter.poolmanager.connection_pool_kw["source_address"] = ("127.0.0.2", 0)
        return [first, session.get(url).text]

    with requests.Session() as session, setup_session(session):
        assert await run(ask) == ["127.0.0.1", "127.0.0.2"]


class Counts(urllib3.PoolManager):
    """A pool manager that is asked for each pool."""

    asked = 0

    def connection_from_host(self, *args: Any, **options: Any) -> Any:
        Counts.asked += 1
        return super().connection_from_host(*args, **options)


class OfCounts(SocketsAdapter):
    """Has such a one."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        self.poolmanager = Counts()


class OwnKeys(SocketsAdapter):
    """Works out for itself which pool to take."""

    def build_connection_pool_key_attributes(self, *args: Any, **options: Any) -> Any:
        Counts.asked += 1
        return super().build_connection_pool_key_attributes(*args, **options)


def replaced_method() -> HTTPAdapter:
    """Give a pool manager a method that says what is asked of it."""
    adapter: Any = HTTPAdapter()
    original = adapter.poolmanager.connection_from_host

    def spy(*args: Any, **options: Any) -> Any:
        Counts.asked += 1
        return original(*args, **options)

    adapter.poolmanager.connection_from_host = spy
    return adapter


@pytest.mark.parametrize("make", [OfCounts, OwnKeys, replaced_method])
async def test_whoever_chooses_pools_himself_is_asked_each_time(
    url: str, make: Callable[[], HTTPAdapter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Counts, "asked", 0)
    with requests.Session() as session:
        session.mount("http://", make())
        with setup_session(session):
            for _ in range(3):
                assert (await run(session.get, url)).text == "127.0.0.1"
    assert Counts.asked == 3


async def test_one_with_a_setting_is_of_the_class_that_somebody_looks_for(url: str) -> None:
    with setup_session(), requests.Session() as session:
        assert type(session.get_adapter(url)) is SocketsAdapter
        session.mount("http://", HTTPAdapter(pool_maxsize=20))
        # A warning that it blocks would be an error.
        assert (await run(session.get, url)).text == "127.0.0.1"
        assert type(session.get_adapter(url)) is HTTPAdapter
