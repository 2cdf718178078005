"""Threads for blocking calls to which there is no other way.

Those are to look up names, to connect through a SOCKS proxy, and the TLS handshakes and pauses
of other libraries.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import tornalet

from .polite_queue import PoliteQueue

T = TypeVar("T")


def wait_for_thread(
    function: Callable[[], T],
    if_too_late: Callable[[T], Any] | None = None,
    places: PoliteQueue | None = None,
) -> T:
    """Let a thread call a function that blocks, and wait for it in a greenlet.

    Each call has a thread of its own, for as long as it takes. In a pool of threads those that
    nobody waits for any more would take the places, and the end of the program would wait for
    them all.

    Args:
        function: what to call.
        if_too_late: called with the result if nobody waits for it any more. The thread itself
            cannot be stopped.
        places: a queue with an item for each thread that may run at once; left out, any number
            may.

    Returns:
        What it returned.

    Raises:
        RuntimeError: the system has no thread for it.
        BaseException: what it raised, or a cancellation.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    # Not in the future: the loop has that in its hands until the greenlet waits again, and a
    # result that somebody drops would not be freed.
    results = list[T]()
    context = contextvars.copy_context()

    def settle(error: BaseException | None) -> None:
        if error is not None:
            if not done.cancelled():
                done.set_exception(error)
        elif not done.cancelled():
            done.set_result(None)
        elif if_too_late:
            if_too_late(results.pop())

    def work() -> None:
        error: BaseException | None = None
        try:
            results.append(context.run(function))
        except StopIteration as raised:
            # A future cannot hold this exception.
            error = RuntimeError("a function raised StopIteration")
            error.__cause__ = raised
        except BaseException as raised:
            error = raised
        if places:
            places.put(place)
        try:
            loop.call_soon_threadsafe(settle, error)
        except RuntimeError:
            # The loop is closed.
            if error is None and if_too_late:
                if_too_late(results.pop())
        finally:
            # Breaks a reference cycle: its traceback refers to this frame.
            del error

    thread = threading.Thread(target=work, name="trequests", daemon=True)
    place = places.get() if places else None
    try:
        thread.start()
    except Exception:
        # The system has no thread left, and none will give the place back.
        if places:
            places.put(place)
        raise
    try:
        tornalet.wait(done)
    except BaseException:
        if not done.cancel() and not done.cancelled() and not done.exception() and if_too_late:
            # The result came at the very moment of the cancellation.
            if_too_late(results.pop())
        raise
    return results.pop()
