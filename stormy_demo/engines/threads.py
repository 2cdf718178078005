"""Threads for what is there as a blocking call only: names, SOCKS, TLS and pauses of others."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from .. import tornalet

T = TypeVar("T")

# Not the loop's own threads: they are few, and a server that knows no names would keep all of
# them waiting, and whoever else needs one.
MOST = 64


class _Threads:
    """A pool that is made anew in a forked process, where its threads are not."""

    def __init__(self) -> None:
        self.renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        self.pool = ThreadPoolExecutor(MOST, thread_name_prefix="trequests")


_threads = _Threads()


def wait_for_thread(
    function: Callable[[], T], if_too_late: Callable[[T], Any] | None = None
) -> T:
    """Let a thread call a function that blocks, and wait for it in a greenlet.

    Args:
        function: it.
        if_too_late: called with the result if nobody waits for it any more. The thread cannot
            be told.

    Returns:
        What it returned.

    Raises:
        BaseException: what it raised, or a cancellation.
    """
    working = asyncio.get_running_loop().run_in_executor(_threads.pool, function)

    def nobody_waits(done: asyncio.Future[T]) -> None:
        if not done.cancelled() and not done.exception() and if_too_late:
            if_too_late(done.result())

    try:
        return tornalet.wait(asyncio.shield(working))
    except BaseException:
        if not working.done():
            working.add_done_callback(nobody_waits)
        raise
