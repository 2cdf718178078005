"""A checker counts turns of the loop, and lets time pass that nobody waits for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from classroom.examining.clockwork import (
    LONG,
    by_itself,
    give_clock,
    goes_round,
    let_pass,
    timers,
)


async def naps() -> None:
    while True:
        await asyncio.sleep(0)


async def naps_briefly() -> None:
    while True:
        await asyncio.sleep(0.01)


async def comes_back() -> None:
    def again() -> None:
        IOLoop.current().add_callback(again)

    again()
    await asyncio.Event().wait()


async def comes_back_at_once() -> None:
    def again() -> None:
        IOLoop.current().call_later(0, again)

    again()
    await asyncio.Event().wait()


async def waits() -> None:
    await asyncio.Event().wait()


class TestGoingRound:
    @pytest.mark.parametrize("way", [naps, comes_back, comes_back_at_once])
    async def test_is_seen(self, way: Callable[[], Any]) -> None:
        assert await seen_of(way)

    @pytest.mark.parametrize("way", [waits, naps_briefly])
    async def test_whoever_rests_does_not(self, way: Callable[[], Any]) -> None:
        assert not await seen_of(way)


async def seen_of(way: Callable[[], Any]) -> bool:
    task = asyncio.create_task(way())
    await asyncio.sleep(0)
    seen = await goes_round()
    task.cancel()
    return seen


async def test_time_passes_for_timers_and_not_for_us() -> None:
    loop = asyncio.get_running_loop()
    rung: list[str] = []
    loop.call_later(LONG - 0.1, rung.append, "soon")
    later = loop.call_later(LONG + 3600, rung.append, "later")
    before = loop.time()
    let_pass()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert rung == ["soon"] and loop.time() - before >= LONG
    later.cancel()


async def test_whoever_has_kept_the_time_of_the_loop_sees_it_pass() -> None:
    clock = give_clock(asyncio.get_running_loop(), time.monotonic)
    kept, unmoved = asyncio.get_running_loop().time, by_itself()
    before, as_it_goes = kept(), unmoved()
    let_pass()
    let_pass(3600)
    assert kept() - before >= LONG + 3600 == clock.ahead
    assert unmoved() - as_it_goes < LONG


async def test_timers_are_noted_while_the_block_lasts() -> None:
    loop = asyncio.get_running_loop()
    with timers() as noted:
        first = loop.call_later(3600, print)
        async with asyncio.timeout(3600):
            await asyncio.sleep(0)
    loop.call_later(3600, print).cancel()
    assert [timer.cancelled() for timer in noted] == [False, True] and noted[0] is first
    first.cancel()
