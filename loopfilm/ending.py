"""End tasks, and do not wait for ever for one that refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

# Seconds to wait, each time, for what was closed or cancelled to end.
GRACE_PERIOD = 3.0


async def wait_for_the_end(tasks: Collection[asyncio.Future[Any]]) -> None:
    """Wait until tasks have ended, in whatever way, but no longer than `GRACE_PERIOD`.

    Args:
        tasks: what to wait for; they go on if the time is not enough.
    """
    if tasks:
        await asyncio.wait(tasks, timeout=GRACE_PERIOD)


async def end(tasks: Collection[asyncio.Future[Any]]) -> None:
    """Cancel tasks, and wait for them as `wait_for_the_end` does.

    Args:
        tasks: what to cancel. A task can refuse, and is left behind then.
    """
    for task in tasks:
        task.cancel()
    await wait_for_the_end(tasks)
