"""Threads for what is there as a blocking call only: names, SOCKS, TLS and pauses of others."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import tornalet

from .places import PoliteQueue

T = TypeVar("T")


def wait_for_thread(
    function: Callable[[], T],
    if_too_late: Callable[[T], Any] | None = None,
    places: PoliteQueue | None = None,
) -> T:
    """Let a thread call a function that blocks, and wait for it in a greenlet.

    Each call has a thread of its own, for as long as it takes. A pool of them would be full of
    those that nobody waits for any more, and the end of the program would wait for them all.

    Args:
        function: it.
        if_too_late: called with the result if nobody waits for it any more. The thread cannot
            be told.
        places: a queue with a thing for each thread that there may be; all if it is left out.

    Returns:
        What it returned.

    Raises:
        BaseException: what it raised, or a cancellation.
    """
    place = places.get() if places else None
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: T | None, error: BaseException | None) -> None:
        if error is not None:
            if not done.cancelled():
                done.set_exception(error)
        elif not done.cancelled():
            done.set_result(result)  # type: ignore[arg-type]
        elif if_too_late:
            if_too_late(result)  # type: ignore[arg-type]

    def work() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = context.run(function)
        except StopIteration as raised:
            # A future takes none, as a coroutine does not.
            error = RuntimeError("a function raised StopIteration")
            error.__cause__ = raised
        except BaseException as raised:
            error = raised
        if places:
            places.put(place)
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            # The loop is closed.
            if error is None and if_too_late:
                if_too_late(result)  # type: ignore[arg-type]
        finally:
            # Or its traceback would have this frame, and this frame the traceback.
            del error

    threading.Thread(target=work, name="trequests", daemon=True).start()
    try:
        return tornalet.wait(done)
    except BaseException:
        if not done.cancel() and not done.cancelled() and not done.exception() and if_too_late:
            # It came in the very moment in which nobody waited any more.
            if_too_late(done.result())
        raise
