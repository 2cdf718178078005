"""Run a coroutine where the caller blocks, or already has a loop: on a loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from .ending import end

T = TypeVar("T")


def on_own_loop(function: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Run a coroutine function to its end on a new loop, in a thread of its own.

    For callers whose own thread already runs a loop, such as a cell of a notebook.

    Args:
        function: a coroutine function.
        *args: what to call it with.

    Returns:
        What it returned.

    Raises:
        BaseException: whatever it raised, or ended its loop.
        RuntimeError: the thread could not be started.
    """
    with OwnLoop(function, *args) as own_loop:
        return own_loop.outcome.result()


class OwnLoop(Generic[T]):
    """A coroutine on a loop and in a thread of its own, for as long as a `with` block lasts.

    When the block ends and the coroutine has not, it is cancelled, and the block waits for it.
    What it raises then, the block raises, unless that is only the cancellation.

    Attributes:
        outcome: what the coroutine returned or raised, when the loop is closed.
    """

    def __init__(self, function: Callable[..., Awaitable[T]], *args: Any) -> None:
        """Say what is to run.

        Args:
            function: a coroutine function; it is called in the thread.
            *args: what to call it with.
        """
        self.outcome: Future[T] = Future()
        self._function = function
        self._args = args
        self._ended_by_block = False

    def __enter__(self) -> Self:
        # Made here, so that there is something to cancel at any time.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="own loop", daemon=True)
        try:
            self._thread.start()
        except BaseException as error:
            if self._thread.is_alive():
                self.__exit__(type(error), error, error.__traceback__)
            else:
                self._loop.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A loop that is closed needs no word: there the coroutine has ended.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._cancel)
        if threading.current_thread() is self._thread:
            # The garbage collector came by in this thread, which cannot wait for itself.
            return
        self._thread.join()
        try:
            self.outcome.result()
        except asyncio.CancelledError:
            if not self._ended_by_block:
                raise
        except BaseException as error:
            if error is not raised:
                raise

    def finish(self, ask: Callable[[], object]) -> None:
        """Have the coroutine end by itself, and wait until it has.

        Args:
            ask: what tells it to; it is called on the loop.
        """
        if threading.current_thread() is self._thread:
            # As in `__exit__`; and a coroutine that nobody waits for is better cancelled.
            return
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(ask)
            wait([self.outcome])

    def _cancel(self) -> None:
        # The coroutine may have cancelled itself before.
        if not self._task.cancelling():
            self._ended_by_block = self._task.cancel()

    def _run(self) -> None:
        try:
            result = self._run_to_the_end()
        except BaseException as error:
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(result)

    def _run_to_the_end(self) -> T:
        async def call() -> T:
            return await self._function(*self._args)

        try:
            self._task = self._loop.create_task(call())
            return _complete(self._loop, self._task)
        finally:
            try:
                if not self._loop.is_closed():
                    _complete(self._loop, self._loop.create_task(_end_what_is_left()))
            finally:
                self._loop.close()


def _complete(loop: asyncio.AbstractEventLoop, task: asyncio.Task[T]) -> T:
    """Run a loop until a task is done, although something else may end the loop before that.

    A callback can raise `SystemExit`, or stop the loop. Then the task is cancelled, so that it
    can end what it began, and afterwards that is what is raised.
    """
    ended_by: BaseException | None = None
    while not task.done():
        try:
            loop.run_until_complete(task)
        except BaseException as error:
            if loop.is_closed():
                raise
            if ended_by is None:
                ended_by = error
                task.cancel()
    try:
        return task.result()
    finally:
        if ended_by is not None:
            raise ended_by


async def _end_what_is_left() -> None:
    """Do what `asyncio.run` does at its end, but do not wait for ever for a task."""
    await end(asyncio.all_tasks() - {asyncio.current_task()})
    loop = asyncio.get_running_loop()
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
