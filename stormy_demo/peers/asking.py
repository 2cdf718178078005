"""How a server on asyncio asks its backend: one client, which all of its requests share.

Each client may have as many questions under way as there are visitors: Tornado's own keeps to
ten unless it is told otherwise.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from .starting import MOST_ASKED

Ask = Callable[[str], Awaitable[bytes]]
"""Takes an address, and gives the body of the answer."""


@asynccontextmanager
async def simple() -> AsyncIterator[Ask]:
    """Tornado's client in Python, which opens a connection for each question."""
    async with _tornado("tornado.simple_httpclient.SimpleAsyncHTTPClient") as ask:
        yield ask


@asynccontextmanager
async def curl() -> AsyncIterator[Ask]:
    """Tornado's client on libcurl, which keeps connections."""
    async with _tornado("tornado.curl_httpclient.CurlAsyncHTTPClient") as ask:
        yield ask


@asynccontextmanager
async def _tornado(kind: str) -> AsyncIterator[Ask]:
    from tornado.httpclient import AsyncHTTPClient

    AsyncHTTPClient.configure(kind, max_clients=MOST_ASKED)
    client = AsyncHTTPClient(force_instance=True)

    async def ask(url: str) -> bytes:
        return (await client.fetch(url)).body

    try:
        yield ask
    finally:
        client.close()


@asynccontextmanager
async def aiohttp() -> AsyncIterator[Ask]:
    """The client of aiohttp, whose parser is compiled, and which keeps connections."""
    from aiohttp import ClientSession, TCPConnector

    async with ClientSession(connector=TCPConnector(limit=MOST_ASKED)) as session:

        async def ask(url: str) -> bytes:
            async with session.get(url) as answer:
                answer.raise_for_status()
                return await answer.read()

        yield ask


@asynccontextmanager
async def httpx() -> AsyncIterator[Ask]:
    """httpx, in Python, as it keeps connections unless it is told otherwise: twenty."""
    from httpx import AsyncClient, Limits

    # The more it keeps, the longer it looks for one.
    limits = Limits(max_connections=MOST_ASKED, max_keepalive_connections=20)
    async with AsyncClient(limits=limits, timeout=None) as client:

        async def ask(url: str) -> bytes:
            return (await client.get(url)).raise_for_status().content

        yield ask


CLIENTS: dict[str, Callable[[], AbstractAsyncContextManager[Ask]]] = {
    "simple": simple,
    "curl": curl,
    "aiohttp": aiohttp,
    "httpx": httpx,
}
NEEDS = {"curl": ["pycurl"], "aiohttp": ["aiohttp"], "httpx": ["httpx"]}
