"""A timeout is what stock requests takes for one, with each engine, and wherever it is used."""

from __future__ import annotations

import asyncio
import gc
import sys
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest
import requests
from tornado.web import Application, RequestHandler
from urllib3 import Timeout

from loopfilm import running_apart
from tornalet import run
from trequests import ENGINES, setup_session

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise", "no_proxies"),
]

INFINITE, NO_NUMBER = float("inf"), float("nan")
MONTH = 3_000_000  # seconds, and more milliseconds than fit into 32 bits
YEARS = 10**10  # seconds, and more than a socket can wait

# What comes of it, where it does not depend on how fast the machine is.
TIMEOUTS: list[tuple[Any, type[Exception] | None]] = [
    (None, None),
    (Timeout(), None),
    (20, None),
    (MONTH, None),
    (2_147_483.647, None),
    (1e9, None),
    ((20, MONTH), None),
    ((MONTH, 20), None),
    ((None, MONTH), None),
    (Timeout(connect=MONTH, read=20), None),
    (Timeout(connect=20, read=MONTH), None),
    (Timeout(total=MONTH), None),
    (Timeout(total=MONTH, connect=20, read=20), None),
    (Timeout(total=20, connect=INFINITE), None),
    (YEARS, OverflowError),
    (INFINITE, OverflowError),
    (sys.maxsize, OverflowError),
    (10**400, OverflowError),
    ((20, YEARS), OverflowError),
    ((20, INFINITE), OverflowError),
    ((sys.maxsize, 20), OverflowError),
    (Timeout(connect=INFINITE), OverflowError),
    (Timeout(connect=20, read=INFINITE), OverflowError),
    (Timeout(total=INFINITE), OverflowError),
    (Timeout(total=sys.maxsize, connect=20), OverflowError),
    (NO_NUMBER, ValueError),
    ((20, NO_NUMBER), ValueError),
    ((NO_NUMBER, 20), ValueError),
    (Timeout(total=NO_NUMBER), ValueError),
    (Timeout(connect=20, read=20, total=NO_NUMBER), requests.ReadTimeout),
    (0, ValueError),
    (0.0, ValueError),
    (-1, ValueError),
    (-INFINITE, ValueError),
    ((20, 0), ValueError),
    ((-1, 20), ValueError),
    (True, ValueError),
    ("20", ValueError),
    (b"20", ValueError),
    ([20], ValueError),
    ((1, 2, 3), ValueError),
    ((), ValueError),
    (Fraction(20), TypeError if sys.version_info < (3, 15) else None),
]


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_apart(Application([("/", Hello)])) as url:
        yield url


def comes_of(url: str, timeout: Any) -> type[Exception] | None:
    """Return what a request with this timeout raises, if it does."""
    with requests.Session() as session:
        try:
            assert session.get(url, timeout=timeout).text == "hello"
        except Exception as error:
            return type(error)
    return None


def in_a_greenlet(url: str, timeout: Any) -> Any:
    return asyncio.run(run(comes_of, url, timeout))


def on_the_loop(url: str, timeout: Any) -> Any:
    async def coroutine() -> Any:
        return comes_of(url, timeout)

    return asyncio.run(coroutine())


@pytest.fixture(scope="module")
def expected(url: str) -> list[tuple[Any, Any]]:
    """What stock requests makes of the timeouts."""
    with warnings.catch_warnings():
        # urllib3 leaves a socket open whose timeout it cannot set.
        warnings.filterwarnings("ignore", "unclosed <socket", ResourceWarning)
        found = [(timeout, comes_of(url, timeout)) for timeout, _ in TIMEOUTS]
        gc.collect()
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="how long a socket can wait differs")
def test_this_is_what_stock_requests_makes_of_them(expected: list[tuple[Any, Any]]) -> None:
    assert repr(expected) == repr(TIMEOUTS)


@pytest.mark.parametrize("where", [in_a_greenlet, on_the_loop, comes_of])
@pytest.mark.parametrize("engine", ENGINES)
def test_it_is_the_same_with_each_engine(
    url: str, engine: str, where: Callable[[str, Any], Any], expected: list[tuple[Any, Any]]
) -> None:
    if engine == "curl":
        pytest.importorskip("pycurl")
    with setup_session(engine=engine, outside="block"):
        found = [(timeout, where(url, timeout)) for timeout, _ in TIMEOUTS]
    assert repr(found) == repr(expected)


@pytest.mark.parametrize("seconds", [1e-9, 1e-300])
def test_the_shortest_timeout_is_a_timeout(url: str, seconds: float) -> None:
    """Whether an answer comes in time nobody knows; nothing else may come of it."""
    for engine in ENGINES:
        if engine == "curl":
            pytest.importorskip("pycurl")
        with setup_session(engine=engine, outside="block"):
            for where in (in_a_greenlet, on_the_loop, comes_of):
                came = where(url, seconds)
                assert came is None or issubclass(came, requests.Timeout)
