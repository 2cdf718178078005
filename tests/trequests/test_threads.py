"""A call that blocks is made on a thread, and its caller gets what it would have got."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from tornalet import run, wait
from trequests.engines.clients.waiters import Waiters
from trequests.engines.polite_queue import PoliteQueue
from trequests.engines.threads import wait_for_thread

pytestmark = pytest.mark.filterwarnings("error")

USER: contextvars.ContextVar[str] = contextvars.ContextVar("USER", default="nobody")


class Blocking:
    """A call that blocks until the script lets it go on."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.error = error
        self.too_late = list[str]()
        self.thread = threading.current_thread()

    def __call__(self) -> str:
        self.thread = threading.current_thread()
        self.begun.set()
        self.go_on.wait(500)
        if self.error:
            raise self.error
        return "result"

    def wait(self) -> str:
        return wait_for_thread(self, if_too_late=self.too_late.append)

    def finish(self) -> None:
        self.go_on.set()
        self.thread.join()


async def test_the_result_comes_and_the_loop_goes_on_meanwhile() -> None:
    blocking = Blocking()
    waiting = asyncio.create_task(run(blocking.wait))
    await asyncio.to_thread(blocking.begun.wait, 500)
    assert not waiting.done()
    blocking.go_on.set()
    assert await waiting == "result"
    assert blocking.too_late == []


async def test_a_result_that_is_dropped_is_freed_before_the_loop_goes_on() -> None:
    def drop() -> bool:
        # A function is something that a weak reference can refer to.
        dropped = weakref.ref(wait_for_thread(lambda: lambda: None))
        return dropped() is None

    assert await run(drop)


@pytest.mark.parametrize("error", [KeyError("ada"), SystemExit(3), asyncio.CancelledError()])
async def test_what_it_raises_comes_too(error: BaseException) -> None:
    def plain() -> Any:
        try:
            return blocking.wait()
        except BaseException as raised:
            return raised

    blocking = Blocking(error)
    blocking.go_on.set()
    assert type(await run(plain)) is type(error)


async def test_a_stop_iteration_is_a_runtime_error_as_in_a_coroutine() -> None:
    blocking = Blocking(StopIteration("ada"))
    blocking.go_on.set()
    with pytest.raises(RuntimeError, match="StopIteration") as raised:
        await run(blocking.wait)
    assert isinstance(raised.value.__cause__, StopIteration)


async def test_it_sees_the_variables_of_its_caller() -> None:
    USER.set("ada")
    assert await run(wait_for_thread, USER.get) == "ada"


async def test_a_result_that_nobody_waits_for_is_given_back() -> None:
    blocking = Blocking()
    waiting = asyncio.create_task(run(blocking.wait))
    await asyncio.to_thread(blocking.begun.wait, 500)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    blocking.finish()
    await asyncio.sleep(0)
    assert blocking.too_late == ["result"]


async def test_a_result_that_nobody_waits_for_or_wants_back_is_forgotten() -> None:
    blocking = Blocking()
    waiting = asyncio.create_task(run(wait_for_thread, blocking))
    await asyncio.to_thread(blocking.begun.wait, 500)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    blocking.finish()
    # What the thread has put on the loop comes first; it would be logged if it raised.
    await asyncio.sleep(0)
    assert waiting.cancelled()


async def test_an_error_that_nobody_waits_for_is_none() -> None:
    blocking = Blocking(KeyError("ada"))
    waiting = asyncio.create_task(run(blocking.wait))
    await asyncio.to_thread(blocking.begun.wait, 500)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    blocking.finish()
    await asyncio.sleep(0)
    assert blocking.too_late == []


@pytest.mark.parametrize("error", [None, KeyError("ada")])
async def test_it_comes_at_the_very_moment_of_a_cancellation(error: Exception | None) -> None:
    blocking = Blocking(error)
    waiting = asyncio.create_task(run(blocking.wait))
    await asyncio.to_thread(blocking.begun.wait, 500)
    # The loop stands still here: the result is put behind this, and the cancellation behind it.
    blocking.finish()
    asyncio.get_running_loop().call_soon(waiting.cancel)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert blocking.too_late == ([] if error else ["result"])


@pytest.mark.parametrize("error", [None, KeyError("ada")])
def test_after_the_loop_was_closed_the_result_is_given_back(error: Exception | None) -> None:
    async def give_up() -> None:
        waiting = asyncio.create_task(run(blocking.wait))
        await asyncio.to_thread(blocking.begun.wait, 500)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    blocking = Blocking(error)
    asyncio.run(give_up())
    blocking.finish()
    assert blocking.too_late == ([] if error else ["result"])


async def test_so_many_run_at_once_and_no_more() -> None:
    places = PoliteQueue()
    places.put("the only place")
    first, second = Blocking(), Blocking()
    waiting = [
        asyncio.create_task(run(wait_for_thread, each, None, places))
        for each in (first, second)
    ]
    await asyncio.to_thread(first.begun.wait, 500)
    for _ in range(10):
        await asyncio.sleep(0)
    assert not second.begun.is_set()
    first.go_on.set()
    second.go_on.set()
    assert await asyncio.gather(*waiting) == ["result"] * 2
    assert places.get(block=False) == "the only place"


# -- futures with a deadline -------------------------------------------------------------------


async def test_whoever_has_given_up_gets_no_timeout() -> None:
    waiters = Waiters(asyncio.get_running_loop())
    given_up, waiting = (waiters.news(lambda: 0.1) for _ in range(2))
    given_up.cancel()
    with pytest.raises(TimeoutError):
        await waiting
    assert given_up.cancelled()


async def test_a_deadline_may_be_known_later() -> None:
    known = list[float]()
    waiters = Waiters(asyncio.get_running_loop())
    waiting = waiters.news(lambda: known[0] if known else None, span=0.001)
    await asyncio.sleep(0.005)
    assert not waiting.done()
    known.append(0.1)
    with pytest.raises(TimeoutError):
        await waiting


# -- places ------------------------------------------------------------------------------------


async def test_a_place_is_waited_for_so_long_and_no_longer() -> None:
    with pytest.raises(queue.Empty):
        await run(PoliteQueue().get, timeout=0.01)


async def test_a_time_before_now_is_none() -> None:
    def stock() -> Any:
        return queue.LifoQueue[Any]().get(timeout=-1)

    def polite() -> Any:
        return PoliteQueue().get(timeout=-1)

    async def raises(code: Callable[[], Any]) -> None:
        with pytest.raises(ValueError, match="'timeout' must be a non-negative number"):
            await run(code)

    await raises(stock)
    await raises(polite)


async def test_whoever_is_woken_and_leaves_passes_the_place_on() -> None:
    places = PoliteQueue()
    tasks = [asyncio.create_task(run(places.get)) for _ in range(3)]
    for _ in range(3):
        await asyncio.sleep(0)
    places.put("place")
    tasks[0].cancel()
    async with asyncio.timeout(500):
        assert await tasks[1] == "place"
    places.put("another")
    assert await tasks[2] == "another"
    assert tasks[0].cancelled()


def test_whoever_waits_on_a_loop_that_was_closed_keeps_nobody_from_a_place() -> None:
    places = PoliteQueue()
    loop = asyncio.new_event_loop()
    waiting = run(places.get)

    async def begin() -> None:
        waiting.send(None)

    loop.run_until_complete(begin())
    loop.close()

    async def other() -> str:
        task = asyncio.create_task(run(places.get))
        await asyncio.sleep(0)
        places.put("place")
        async with asyncio.timeout(500):
            return str(await task)

    assert asyncio.run(other()) == "place"
    with pytest.raises(RuntimeError):
        # What it waits for belongs to a loop that is gone.
        waiting.throw(RuntimeError("over"))


async def test_it_is_a_queue_where_nobody_is_held_up() -> None:
    places = PoliteQueue(1)
    places.put("place")
    with pytest.raises(queue.Full):
        places.put("another", block=False)
    assert await run(places.get, False) == "place"
    with pytest.raises(queue.Empty):
        await run(places.get, False)
    with pytest.raises(queue.Empty):
        places.get()
    with pytest.raises(queue.Empty):
        await asyncio.to_thread(places.get, True, 0.01)
    assert await run(lambda: wait(asyncio.sleep(0, "fine"))) == "fine"
