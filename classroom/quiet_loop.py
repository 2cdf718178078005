"""A loop on which nothing else happens, and somebody who comes to it from another thread."""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress


class _Telling(selectors.DefaultSelector):
    """What a loop sleeps in. It tells when that begins."""

    def __init__(self, asleep: threading.Event) -> None:
        super().__init__()
        self.asleep = asleep

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # With None, the loop has nothing to do and no alarm: only a socket can wake it.
        if timeout is None:
            self.asleep.set()
        return super().select(timeout)


def is_woken(
    knock: Callable[[asyncio.AbstractEventLoop, asyncio.Event], object], patience: float
) -> bool:
    """Say whether a loop that sleeps notices what another thread does to it.

    On that loop a coroutine waits for an event, and nothing else happens, which is as in a
    server at night, and never so in a notebook or in a film, whose hearts beat.

    Args:
        knock: is to set the event; it is called while the loop sleeps, in another thread than
            the loop's.
        patience: how many seconds the coroutine has to go on.

    Returns:
        Whether it went on. In either case all has ended then.

    Raises:
        BaseException: whatever `knock` raised.
    """
    asleep, went_on = threading.Event(), threading.Event()
    loop = asyncio.SelectorEventLoop(_Telling(asleep))
    arrived = asyncio.Event()

    async def wait_for_it() -> None:
        await arrived.wait()
        went_on.set()

    def run_the_loop() -> None:
        # In debug mode `knock` may be refused halfway, and then nothing wakes the waiter.
        with asyncio.Runner(debug=False, loop_factory=lambda: loop) as runner:
            runner.run(wait_for_it())

    with ThreadPoolExecutor(1, "quiet loop") as thread:
        ended = thread.submit(run_the_loop)
        try:
            asleep.wait()
            knock(loop, arrived)
            return went_on.wait(patience)
        finally:
            # It may have ended by now, and takes nothing then.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(arrived.set)
            ended.result()
