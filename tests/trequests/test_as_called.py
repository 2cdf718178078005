"""Whoever has replaced a part of requests or urllib3 is called as by requests itself.

Instruments, guards and in-house wrappers count on what comes by its name, and on what kind the
headers are. Stock requests is the measure.
"""

from __future__ import annotations

import functools
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter
from tornado.web import Application, RequestHandler
from urllib3.connection import HTTPConnection

from loopfilm import running_apart
from tornalet import run
from trequests import setup_session

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]

Get = Callable[[str], requests.Response]


class Says(RequestHandler):
    def get(self) -> None:
        self.write(self.request.headers.get("X-Trace", "nothing"))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_apart(Application([("/", Says)])) as url:
        yield url


async def stock(get: Get, url: str) -> requests.Response:
    return get(url)


async def ours(get: Get, url: str) -> requests.Response:
    with setup_session(outside="raise"):
        return await run(get, url)


get = functools.partial(requests.get, timeout=500)


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (urllib3.HTTPConnectionPool, "urlopen"),
        (urllib3.HTTPConnectionPool, "_make_request"),
        (HTTPConnection, "request"),
        (HTTPAdapter, "get_connection_with_tls_context"),
        (HTTPAdapter, "send"),
        (requests.Session, "get_adapter"),
        (requests.Session, "send"),
    ],
)
async def test_by_name_or_by_place(
    owner: Any, name: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = list[tuple[int, list[str], Any]]()
    original = getattr(owner, name)

    def replaced(self: Any, *args: Any, **kwargs: Any) -> Any:
        headers = [each for each in (*args, kwargs.get("headers")) if hasattr(each, "items")]
        calls.append((len(args), sorted(kwargs), [type(each) for each in headers]))
        return original(self, *args, **kwargs)

    monkeypatch.setattr(owner, name, replaced)
    for way in (stock, ours):
        assert (await way(get, url)).text == "nothing"
    assert len(calls) == 2 and calls[0] == calls[1]


@pytest.mark.parametrize("way", [stock, ours])
async def test_a_header_that_a_wrapper_adds_goes_out_and_is_seen(
    way: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = urllib3.HTTPConnectionPool.urlopen

    def urlopen(self: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs["headers"]["X-Trace"] = "7"
        return original(self, *args, **kwargs)

    monkeypatch.setattr(urllib3.HTTPConnectionPool, "urlopen", urlopen)
    response = await way(get, url)
    assert (response.text, response.request.headers["X-Trace"]) == ("7", "7")


class Forbidden(OSError):
    pass


class Guard(HTTPConnection):
    def connect(self) -> None:
        raise Forbidden("a guard")


@pytest.mark.parametrize("way", [stock, ours])
async def test_a_guard_on_the_class_of_the_pools_of_an_adapter(
    way: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def guarded(url: str) -> requests.Response:
        with requests.Session() as session:
            adapter: Any = session.get_adapter(url)
            kind = adapter.poolmanager.pool_classes_by_scheme["http"]
            monkeypatch.setattr(kind, "ConnectionCls", Guard)
            return session.get(url, timeout=500)

    with pytest.raises(requests.ConnectionError, match="a guard"):
        await way(guarded, url)


@pytest.mark.parametrize("way", [stock, ours])
async def test_an_address_of_a_family_that_is_not_there_does_not_stop_the_next(
    way: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = socket.getaddrinfo

    def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
        found = original(*args, **kwargs)
        # No system has sockets of this family.
        return [(12345, *found[0][1:]), *found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert (await way(get, url)).status_code == 200


async def test_a_pool_of_somebody_elses_class_is_no_pool_of_the_engine(url: str) -> None:
    class Pool(urllib3.HTTPConnectionPool):
        pass

    def told(url: str) -> Any:
        with requests.Session() as session:
            adapter: Any = session.get_adapter(url)
            adapter.poolmanager.pool_classes_by_scheme = {"http": Pool}
            session.get(url, timeout=500)
            return repr(adapter)

    assert 'engine "sockets": pools: 0, ' in str(await ours(told, url))


class Mine(urllib3.Retry):
    def __repr__(self) -> str:
        return "<mine>"


@pytest.mark.parametrize("way", [stock, ours])
async def test_the_log_has_the_retries_that_were_given(
    way: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}/"

        def ask(url: str) -> requests.Response:
            with requests.Session() as session:
                session.get_adapter(url).max_retries = Mine(1)  # type: ignore[attr-defined]
                return session.get(url, timeout=500)

        with (
            caplog.at_level(logging.WARNING, "urllib3"),
            pytest.raises(requests.ConnectionError),
        ):
            await way(ask, address)
    assert "Retrying (<mine>)" in caplog.text
