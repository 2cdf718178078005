"""Run a coroutine where the caller blocks, or already has a loop: on a loop of its own."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from tornado.ioloop import IOLoop

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
        BaseException: whatever it raised.
    """
    cancels: list[Callable[[], object]] = []

    async def call() -> T:
        task = asyncio.current_task()
        assert task
        cancels.append(functools.partial(IOLoop.current().add_callback, task.cancel))
        return await function(*args)

    with ThreadPoolExecutor(1, "own loop") as threads:
        try:
            return threads.submit(lambda: asyncio.run(call())).result()
        except KeyboardInterrupt:
            # Leaving the block waits for the thread: a coroutine that hangs would keep it.
            for cancel in cancels:
                cancel()
            raise
