"""A pool of threads whose line has an end: who comes when it is full, is told so at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from tornado.log import app_log

P = ParamSpec("P")
T = TypeVar("T")

# More threads than this are no way to wait; nor is a longer line one to be in.
MOST_THREADS = 100
LONGEST_LINE = 10_000


class Full(Exception):
    """All threads are at work, and all places in the line are taken."""


class Pool:
    """Threads for calls that block, for the one loop that runs while it is open.

    The line is on the loop. There whoever waits costs no thread, and may leave.

    Args:
        threads: how many calls are at work at once, from 1 on.
        line: how many may wait for a thread, from 0 on.

    Attributes:
        threads, line: the same.
        at_work: how many threads have not come back, also from a call that nobody awaits now.
        in_line: how many wait for a thread.

    Raises:
        ValueError: a number is too small, or larger than anybody wants.
    """

    def __init__(self, threads: int, line: int) -> None:
        if not 1 <= threads <= MOST_THREADS:
            raise ValueError(f"threads must be from 1 to {MOST_THREADS}, not {threads}")
        if not 0 <= line <= LONGEST_LINE:
            raise ValueError(f"line must be from 0 to {LONGEST_LINE}, not {line}")
        self.threads = threads
        self.line = line
        self.at_work = 0
        self.in_line = 0

    @contextmanager
    def open(self) -> Iterator[None]:
        """Have threads while the block lasts. Its end waits for those that are at work."""
        self._free = asyncio.Semaphore(self.threads)
        with ThreadPoolExecutor(self.threads, "pool") as self._executor:
            yield

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in a thread, with the context variables of the caller.

        If the caller is cancelled in the line, it leaves the line. If it is cancelled later,
        the thread works on, and is not free before the function returns.

        Args:
            function: what blocks.
            *args: what to call it with.
            **kwargs: the same.

        Returns:
            What it returned.

        Raises:
            Full: there is neither a thread nor a place in the line. Nothing was called.
            RuntimeError: the system could not start a thread.
            BaseException: whatever the function raised.
        """
        if self._free.locked() and self.in_line >= self.line:
            raise Full
        self.in_line += 1
        try:
            await self._free.acquire()
        finally:
            self.in_line -= 1
        call = partial(copy_context().run, function, *args, **kwargs)
        try:
            work = self._executor.submit(call)
        except RuntimeError:
            # The system has no more threads to give; it may have some later.
            self._free.release()
            raise
        self.at_work += 1
        loop = asyncio.get_running_loop()
        # Not `wrap_future`: its result may be there before the place is free.
        answer: asyncio.Future[T] = loop.create_future()
        come_back = partial(self._come_back, work, answer)
        # Called in the thread, which must touch nothing here: hence the door.
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(come_back))
        return await answer

    def _come_back(self, work: Future[T], answer: asyncio.Future[T]) -> None:
        self.at_work -= 1
        self._free.release()
        error = work.exception()
        if answer.cancelled():
            if error:
                app_log.error("A thread failed, and nobody waited for it", exc_info=error)
        elif error:
            answer.set_exception(error)
        else:
            answer.set_result(work.result())
