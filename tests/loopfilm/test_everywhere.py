"""Every loop of the process is looked at, and what is over is forgotten."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from loopfilm import film
from loopfilm.everywhere import every_loop
from tests.loopfilm.servers import HANGS, clock, count_descriptors


def holds() -> None:
    async def main() -> None:
        clock.block()

    asyncio.run(main())


@pytest.mark.usefixtures("measured_by_hand")
def test_loops_that_come_one_after_another_are_seen_in_their_order() -> None:
    with every_loop(0.25) as seen:
        holds()
        asyncio.run(asyncio.sleep(0))
        with ThreadPoolExecutor() as pool:
            pool.submit(holds).result()
    first, second = seen.held_at
    assert first.lane == second.lane == "main"
    assert first.start < second.start


@pytest.mark.usefixtures("measured_by_hand")
def test_before_and_after_nothing_is_seen() -> None:
    holds()
    with every_loop(0.25) as seen:
        pass
    holds()
    assert seen.held_at == []


@pytest.mark.usefixtures("measured_by_hand")
def test_two_may_look_at_once_and_make_a_film_too() -> None:
    async def main() -> None:
        with film() as f:
            await asyncio.create_task(blocks(), name="ada")
        assert f.held == ["ada"]

    async def blocks() -> None:
        clock.block()

    with every_loop(0.25) as outer, every_loop(HANGS) as inner:
        asyncio.run(main())
    assert [hold.lane for hold in outer.held_at] == ["ada"]
    assert inner.held_at == []


def test_a_loop_that_is_closed_is_forgotten() -> None:
    with every_loop(HANGS):
        asyncio.run(asyncio.sleep(0))
        before = count_descriptors()
        for _ in range(20):
            asyncio.run(asyncio.sleep(0))
        assert count_descriptors() <= before


def test_a_loop_may_go_on_in_another_thread() -> None:
    loop = asyncio.new_event_loop()
    with every_loop(HANGS):
        for _ in range(2):
            # A new pool has a new thread, and the old one has ended.
            with ThreadPoolExecutor() as pool:
                pool.submit(loop.run_until_complete, asyncio.sleep(0.02)).result()
    loop.close()


def test_a_loop_of_another_thread_goes_on_afterwards() -> None:
    async def main() -> None:
        while not over.is_set():
            await asyncio.sleep(0)
            begun.set()

    begun, over = threading.Event(), threading.Event()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(asyncio.run, main())
        try:
            for _ in range(20):
                with every_loop(HANGS):
                    begun.clear()
                    begun.wait()
        finally:
            over.set()
        running.result()


async def test_tasks_that_are_done_are_forgotten_while_a_film_is_made() -> None:
    tasks: list[weakref.ref[asyncio.Task[None]]] = []
    with film():
        for _ in range(5000):
            task = asyncio.create_task(asyncio.sleep(0))
            tasks.append(weakref.ref(task))
            await task
        del task
        gc.collect()
        assert sum(task() is not None for task in tasks) < 2500
