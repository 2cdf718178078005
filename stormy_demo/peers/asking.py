"""How a server on asyncio asks its backend: one client, which all of its requests share.

Each client may have as many questions under way as there are visitors: Tornado's own keeps to
ten unless it is told otherwise. And each gives up after the same time; by themselves they do so
after five seconds, twenty, or five minutes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from ..agreed import NoAnswer, OtherStatus, TooLate
from . import starting

if TYPE_CHECKING:
    from tornado.httpclient import AsyncHTTPClient

Ask = Callable[[str], Awaitable[bytes]]
"""Takes an address, and gives the body of the answer, or raises a `BackendError`."""

# With these numbers Tornado says that there was no answer, and libcurl that none came in time.
NO_STATUS, CURL_TIMEOUT = 599, 28


@asynccontextmanager
async def simple() -> AsyncIterator[Ask]:
    """Tornado's client in Python, which opens a connection for each question."""
    from tornado.simple_httpclient import SimpleAsyncHTTPClient

    async with _tornado(SimpleAsyncHTTPClient) as ask:
        yield ask


@asynccontextmanager
async def curl() -> AsyncIterator[Ask]:
    """Tornado's client on libcurl, which keeps connections."""
    from tornado.curl_httpclient import CurlAsyncHTTPClient

    async with _tornado(CurlAsyncHTTPClient) as ask:
        yield ask


@asynccontextmanager
async def _tornado(kind: type[AsyncHTTPClient]) -> AsyncIterator[Ask]:
    from tornado.httpclient import HTTPClientError
    from tornado.httputil import HTTPInputError
    from tornado.simple_httpclient import HTTPTimeoutError

    patience = {"connect_timeout": starting.PATIENCE, "request_timeout": starting.PATIENCE}
    # Of its own kind, and not by `configure`, which is for the whole process.
    client = kind(force_instance=True, max_clients=starting.MOST_ASKED, defaults=patience)

    async def ask(url: str) -> bytes:
        try:
            return (await client.fetch(url)).body
        except HTTPClientError as error:
            is_late = isinstance(error, HTTPTimeoutError)
            if is_late or getattr(error, "errno", None) == CURL_TIMEOUT:
                raise TooLate from error
            if error.code == NO_STATUS:
                raise NoAnswer from error
            raise OtherStatus(error.code) from error
        except (OSError, ValueError, HTTPInputError) as error:
            raise NoAnswer from error

    try:
        yield ask
    finally:
        client.close()


@asynccontextmanager
async def aiohttp() -> AsyncIterator[Ask]:
    """The client of aiohttp, whose parser is compiled, and which keeps connections."""
    from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

    async with ClientSession(
        connector=TCPConnector(limit=starting.MOST_ASKED),
        timeout=ClientTimeout(total=starting.PATIENCE),
    ) as session:

        async def ask(url: str) -> bytes:
            try:
                async with session.get(url) as answer:
                    if not answer.ok:
                        raise OtherStatus(answer.status)
                    return await answer.read()
            except TimeoutError as error:
                raise TooLate from error
            except (ClientError, OSError, ValueError) as error:
                raise NoAnswer from error

        yield ask


@asynccontextmanager
async def httpx() -> AsyncIterator[Ask]:
    """httpx, in Python, as it keeps connections unless it is told otherwise: twenty."""
    from httpx import AsyncClient, HTTPError, InvalidURL, Limits, TimeoutException

    # The more it keeps, the longer it looks for one.
    limits = Limits(max_connections=starting.MOST_ASKED, max_keepalive_connections=20)
    async with AsyncClient(limits=limits, timeout=starting.PATIENCE) as client:

        async def ask(url: str) -> bytes:
            try:
                answer = await client.get(url)
            except TimeoutException as error:
                raise TooLate from error
            except (HTTPError, InvalidURL) as error:
                raise NoAnswer from error
            if not answer.is_success:
                raise OtherStatus(answer.status_code)
            return answer.content

        yield ask


CLIENTS: dict[str, Callable[[], AbstractAsyncContextManager[Ask]]] = {
    "simple": simple,
    "curl": curl,
    "aiohttp": aiohttp,
    "httpx": httpx,
}
NEEDS = {"curl": ["pycurl"], "aiohttp": ["aiohttp"], "httpx": ["httpx"]}
