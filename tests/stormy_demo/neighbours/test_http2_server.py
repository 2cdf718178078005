"""A server of HTTP/2 on the loop of Tornado, and its end, whoever is still connected."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from tornado.httpclient import AsyncHTTPClient

http2_server = pytest.importorskip(
    "stormy_demo.neighbours.counterparts.http2_server", reason="there is no Hypercorn here"
)

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]

LONG = 60.0  # seconds that no machine is too busy for
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


async def test_answers_when_so_many_are_there_and_then_begins_anew() -> None:
    async with http2_server.serving(together=2) as url:
        for _ in range(2):
            first, second = await asyncio.gather(
                AsyncHTTPClient().fetch(url), AsyncHTTPClient().fetch(url)
            )
            assert first.body == second.body == b'{"http":"1.1","connections":2}'


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHo",
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
        b"GET /nothing HTTP/1.1\r\nHost: here\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nhalf",
        b"\x00\xff" * 50,
        PREFACE[:-2],
        PREFACE,
        PREFACE + b"\xff" * 20,
    ],
    ids=["silent", "half", "waits", "kept", "body", "junk", "half 2", "silent 2", "junk 2"],
)
async def test_ends_at_once_whoever_does_not_leave(
    sent: bytes, open_descriptors: Callable[[], int]
) -> None:
    before, descriptors = asyncio.all_tasks(), open_descriptors()
    async with http2_server.serving(together=2) as url:
        place = urlsplit(url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(sent)
        await writer.drain()
        # It has read that by the time at which it answers somebody else.
        await AsyncHTTPClient().fetch(f"{url}/nothing", raise_error=False)
    await reader.read()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    assert asyncio.all_tasks() == before
    async with asyncio.timeout(LONG):
        while open_descriptors() > descriptors:
            await asyncio.sleep(0)


@pytest.mark.parametrize("turns", range(8))
async def test_who_comes_at_the_end_does_not_hold_it_up(
    turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So this would wait if anybody was left to wait for.
    monkeypatch.setattr("loopfilm.ending.GRACE_PERIOD", LONG)
    async with asyncio.timeout(LONG / 2):
        async with http2_server.serving(together=2) as url:
            await AsyncHTTPClient().fetch(f"{url}/nothing", raise_error=False)
            place = urlsplit(url)
            with socket.create_connection((place.hostname, place.port)) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
                for _ in range(turns):
                    await asyncio.sleep(0)


@pytest.mark.parametrize("turns", range(1, 7))
async def test_is_gone_also_when_its_end_is_interrupted(turns: int) -> None:
    before, begun = asyncio.all_tasks(), asyncio.Event()

    async def serve() -> None:
        async with http2_server.serving():
            begun.set()
            await asyncio.Event().wait()

    serving = asyncio.create_task(serve())
    await begun.wait()
    serving.cancel()
    for _ in range(turns):
        await asyncio.sleep(0)
    serving.cancel()
    await asyncio.wait([serving])
    assert asyncio.all_tasks() == before


async def test_is_cancelled_when_it_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def goes_on(*args: Any, **kwargs: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(http2_server, "serve", goes_on)
    monkeypatch.setattr("loopfilm.ending.GRACE_PERIOD", 0.01)
    before = asyncio.all_tasks()
    async with http2_server.serving():
        pass
    assert asyncio.all_tasks() == before


async def test_a_meeting_of_nobody_answers_each() -> None:
    async with http2_server.serving(together=0) as url:
        assert (await AsyncHTTPClient().fetch(url)).code == 200


async def test_ends_when_the_block_fails() -> None:
    before = asyncio.all_tasks()
    with pytest.raises(LookupError, match="lost"):
        async with http2_server.serving():
            raise LookupError("lost")
    assert asyncio.all_tasks() == before
