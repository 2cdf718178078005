"""The places of a pool of connections; whoever waits for one yields to the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import time
from collections import deque
from typing import Any

from tornado.concurrent import future_set_result_unless_cancelled

import tornalet

from .outside import loop_runs_here


class PoliteQueue(queue.LifoQueue[Any]):
    """The places of a pool; whoever waits for one yields to the loop."""

    def __init__(self, maxsize: int = 0) -> None:
        """Make an empty queue."""
        super().__init__(maxsize)
        self._waiting: deque[asyncio.Future[None]] = deque()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the last one in, see `queue.Queue.get`."""
        if not block or not loop_runs_here():
            return super().get(block, timeout)
        if not tornalet.can_wait():
            # Whoever has the place may need this very loop in order to give it back.
            return super().get(block=False)
        end = None if timeout is None else time.monotonic() + timeout
        with contextlib.suppress(queue.Empty):
            return super().get(block=False)
        while True:
            # First the ear, then the question: or what comes in between would be missed.
            news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(news)
            leaving = True
            try:
                with contextlib.suppress(queue.Empty):
                    return super().get(block=False)
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    raise queue.Empty
                with contextlib.suppress(TimeoutError):
                    tornalet.wait(asyncio.wait_for(news, left))
                leaving = False
            finally:
                try:
                    self._waiting.remove(news)
                except ValueError:
                    # Whoever was woken and leaves without need of it wakes the next one.
                    if leaving:
                        self._wake_one()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put one in, and wake one who waits for it."""
        super().put(item, block, timeout)
        if self._waiting:
            self._wake_one()

    def _wake_one(self) -> None:
        while self._waiting:
            with contextlib.suppress(IndexError):
                news = self._waiting.popleft()
                # Places are given back on other threads too, and some loops are closed by now.
                with contextlib.suppress(RuntimeError):
                    news.get_loop().call_soon_threadsafe(
                        future_set_result_unless_cancelled, news, None
                    )
                    return
