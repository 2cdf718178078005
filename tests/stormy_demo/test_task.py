"""What the styles share holds on every loop, and keeps no loop alive."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable

import pytest
from tornado.httpclient import AsyncHTTPClient

from benchmarks._faults import full_house
from stormy_demo.agreed import NoAnswer
from stormy_demo.strict_tornado import asking
from stormy_demo.task import http_client


async def client_and_loop() -> tuple[AsyncHTTPClient, asyncio.AbstractEventLoop]:
    return http_client(), asyncio.get_running_loop()


async def test_a_loop_has_one_client_that_sends_a_thousand_requests_at_once() -> None:
    assert http_client() is http_client()
    assert http_client() is not AsyncHTTPClient()
    assert http_client().max_clients == 1000


async def test_a_client_has_no_time_limit_but_that_of_a_request() -> None:
    """A request that waits for its connection, or for its turn, has all of its deadline."""
    assert http_client().defaults["connect_timeout"] == 0


def test_another_loop_has_another_client() -> None:
    one, _ = asyncio.run(client_and_loop())
    other, _ = asyncio.run(client_and_loop())
    assert one is not other


def test_a_loop_that_is_closed_is_kept_no_longer_than_to_the_next_client() -> None:
    loops = [weakref.ref(asyncio.run(client_and_loop())[1]) for _ in range(3)]
    gc.collect()
    assert [loop() is None for loop in loops] == [True, True, False]


@pytest.mark.usefixtures("no_noise")
@pytest.mark.parametrize("turns", [0, 1, 10])
async def test_a_service_that_stops_lets_nobody_wait_for_a_connection(
    turns: int, open_descriptors: Callable[[], int]
) -> None:
    http_client()
    others, open_before = asyncio.all_tasks(), open_descriptors()
    with full_house() as url:
        with asking():
            # With a deadline of its own that is far away.
            answer = http_client().fetch(url, request_timeout=500)
            for _ in range(turns):
                await asyncio.sleep(0)
        assert isinstance((await answer).error, NoAnswer)
        while asyncio.all_tasks() != others:
            await asyncio.sleep(0)
    assert open_descriptors() == open_before


async def test_a_client_is_kept_while_its_loop_runs() -> None:
    mine = http_client()
    await asyncio.to_thread(asyncio.run, client_and_loop())
    assert http_client() is mine
