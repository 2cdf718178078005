"""A client of HTTP that fetches one address again and again, and says what that cost it.

    python -m benchmarks._http_clients.clients MODE http://127.0.0.1:8901/ [--new] [--seconds 2]

Each mode is as its library makes it, with ten fetches under way at once, or one if it blocks;
`--new` asks for a connection of its own for each. It imports nothing of the kit, so that the
Python of another environment can run it, and what a mode needs is imported in its function, so
that nobody pays for the others.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tornado.httpclient import AsyncHTTPClient

AT_ONCE = 10  # as many as Tornado's clients have under way by default
ENDS = 1000  # bytes; so many at each end of a body are compared

Answer = tuple[int, bytes]
Fetch = Callable[[], Awaitable[Answer]]


class WrongAnswer(Exception):
    """A fetch brought something else than the first one."""


@asynccontextmanager
async def simple(url: str, headers: dict[str, str]) -> AsyncIterator[Fetch]:
    """Tornado's own client. It opens a connection for each fetch, and can do nothing else."""
    from tornado.simple_httpclient import SimpleAsyncHTTPClient

    client = SimpleAsyncHTTPClient(force_instance=True)
    yield _fetch_by(client, url, headers)
    client.close()


@asynccontextmanager
async def curl(url: str, headers: dict[str, str]) -> AsyncIterator[Fetch]:
    """Tornado's client on libcurl."""
    from tornado.curl_httpclient import CurlAsyncHTTPClient

    client = CurlAsyncHTTPClient(force_instance=True)
    yield _fetch_by(client, url, headers)
    client.close()


def _fetch_by(client: AsyncHTTPClient, url: str, headers: dict[str, str]) -> Fetch:
    async def fetch() -> Answer:
        response = await client.fetch(url, headers=headers)
        return response.code, response.body

    return fetch


@asynccontextmanager
async def pycurl(url: str, headers: dict[str, str]) -> AsyncIterator[Fetch]:
    """libcurl without Tornado around it: one fetch after another, each of which blocks."""
    from io import BytesIO

    import pycurl

    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in headers.items()])

    async def fetch() -> Answer:
        received = BytesIO()
        handle.setopt(pycurl.WRITEDATA, received)
        handle.perform()
        return handle.getinfo(pycurl.RESPONSE_CODE), received.getvalue()

    yield fetch
    handle.close()


@asynccontextmanager
async def httpx(url: str, headers: dict[str, str]) -> AsyncIterator[Fetch]:
    """A client for asyncio, whose parser is Python."""
    import httpx

    async with httpx.AsyncClient() as client:

        async def fetch() -> Answer:
            response = await client.get(url, headers=headers)
            return response.status_code, response.content

        yield fetch


@asynccontextmanager
async def aiohttp(url: str, headers: dict[str, str]) -> AsyncIterator[Fetch]:
    """A client for asyncio, whose parser is C."""
    import aiohttp

    async with aiohttp.ClientSession() as session:

        async def fetch() -> Answer:
            async with session.get(url, headers=headers) as response:
                return response.status, await response.read()

        yield fetch


@asynccontextmanager
async def niquests(url: str, headers: dict[str, str]) -> AsyncIterator[Fetch]:
    """What looks like requests, and can be awaited."""
    import niquests  # type: ignore[import-not-found]

    async with niquests.AsyncSession() as session:

        async def fetch() -> Answer:
            response = await session.get(url, headers=headers)
            return response.status_code, response.content

        yield fetch


@asynccontextmanager
async def threads(url: str, headers: dict[str, str]) -> AsyncIterator[Fetch]:
    """requests, which blocks, on as many threads as there are fetches under way."""
    from concurrent.futures import ThreadPoolExecutor

    import requests

    loop = asyncio.get_running_loop()
    with requests.Session() as session, ThreadPoolExecutor(AT_ONCE) as pool:

        def ask() -> Answer:
            response = session.get(url, headers=headers)
            return response.status_code, response.content

        yield lambda: loop.run_in_executor(pool, ask)


Client = Callable[[str, dict[str, str]], AbstractAsyncContextManager[Fetch]]
MODES: dict[str, Client] = {
    "simple": simple,
    "curl": curl,
    "pycurl, blocking": pycurl,
    "aiohttp": aiohttp,
    "httpx": httpx,
    "niquests": niquests,
    "requests in threads": threads,
}


async def measured(client: Client, url: str, is_new: bool, seconds: float) -> dict[str, float]:
    """Fetch until the time is over, after a fifth of it that is not counted.

    Returns:
        How many fetches were counted, with the seconds that they took and those of processor
        time, and how many there were in all.

    Raises:
        WrongAnswer: not all were the same, or not 200.
    """
    headers = {"Connection": "close"} if is_new else {}
    done = 0

    async def fetch_until(end: float) -> None:
        nonlocal done
        # Once at least: a busy machine may let the whole time pass before the first.
        while True:
            if kept(await fetch()) != right:
                raise WrongAnswer("a fetch brought something else than the first one")
            done += 1
            if time.perf_counter() >= end:
                return

    async def all_until(end: float) -> None:
        await asyncio.gather(*[fetch_until(end) for _ in range(AT_ONCE)])

    async with client(url, headers) as fetch:
        right = kept(await fetch())
        if right[0] != 200:
            raise WrongAnswer(f"the answer was {right[0]}")
        await all_until(time.perf_counter() + seconds / 5)
        before, start, cpu = done, time.perf_counter(), time.process_time()
        await all_until(start + seconds)
        lasted, cpu = time.perf_counter() - start, time.process_time() - cpu
    counted = done - before
    return {"fetches": counted, "seconds": lasted, "cpu": cpu, "in_all": done + 1}


def kept(answer: Answer) -> tuple[int, int, bytes, bytes]:
    """Return what is compared of an answer: of a long body the length, and both ends."""
    status, body = answer
    return status, len(body), body[:ENDS], body[-ENDS:]


def main() -> None:
    """Fetch, and print what was seen as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks._http_clients.clients",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("url")
    parser.add_argument("--new", action="store_true", help="a connection for each fetch")
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    try:
        seen = asyncio.run(measured(MODES[given.mode], given.url, given.new, given.seconds))
    except WrongAnswer as reason:
        sys.exit(str(reason))
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
