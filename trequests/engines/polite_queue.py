"""A queue of free places, such as those of a pool of connections, to wait for in a greenlet."""

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
    """A queue on which a greenlet waits without holding the loop; all threads may use it."""

    def __init__(self, maxsize: int = 0) -> None:
        """Make an empty queue."""
        super().__init__(maxsize)
        self._waiting: deque[asyncio.Future[None]] = deque()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the last one in, see `queue.Queue.get`."""
        if not block:
            with self.mutex:
                if not self._qsize():
                    raise queue.Empty
                item = self._get()
                self.not_full.notify()
                return item
        if not loop_runs_here():
            return super().get(block, timeout)
        if not tornalet.can_wait():
            # Whoever has the place may need this very loop to give it back: a deadlock.
            return super().get(block=False)
        if timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        end = None if timeout is None else time.monotonic() + timeout
        with contextlib.suppress(queue.Empty):
            return super().get(block=False)
        while True:
            # Register before checking again, or a wake-up is lost.
            woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(woken)
            leaving = True
            try:
                with contextlib.suppress(queue.Empty):
                    return super().get(block=False)
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    raise queue.Empty
                with contextlib.suppress(TimeoutError):
                    tornalet.wait(asyncio.wait_for(woken, left))
                leaving = False
            finally:
                try:
                    self._waiting.remove(woken)
                except ValueError:
                    # It was woken, but leaves without a place: the wake-up is for the next one.
                    if leaving:
                        self._wake_one()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put one in, and wake one greenlet that waits; see `queue.Queue.put`."""
        super().put(item, block, timeout)
        if self._waiting:
            self._wake_one()

    def _wake_one(self) -> None:
        while self._waiting:
            with contextlib.suppress(IndexError):
                woken = self._waiting.popleft()
                # The loop of this one may be closed by now; then the next one is woken.
                with contextlib.suppress(RuntimeError):
                    # A place may be given back on any thread.
                    woken.get_loop().call_soon_threadsafe(
                        future_set_result_unless_cancelled, woken, None
                    )
                    return
