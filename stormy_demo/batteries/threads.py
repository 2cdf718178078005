"""Threads: a server that hands what blocks to a pool, and says so when the pool is full.

`GET /work?steps=3` takes three steps, each of which blocks. `GET /` tells how many threads are
at work, which those are too whose visitor has left, until they notice.
"""

from __future__ import annotations

import asyncio
import re
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

from tornado.web import Application, HTTPError

from ..backend import LONGEST
from ..program import main
from ..sentences import NotFoundHandler, SentenceHandler
from .bounded import Full, Pool
from .small_bodies import SmallBodies

MOST_STEPS = 1000
# Seconds. Nobody can know it; this keeps those who were refused from coming back at once.
RETRY_AFTER = 1
# Seconds. A step cannot be ended, and the end of the program waits for it.
LONGEST_STEP = 60.0

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Threads</title>
<h1>Threads</h1>
<p>At work: {0.at_work} of {0.threads} threads. In line: {0.in_line} of {0.line} places.</p>
<p><a href="work?steps=10">Ten steps of work</a></p>
</html>
"""


def work(steps: int, step: Callable[[], object], unwanted: threading.Event) -> int:
    """Take one step after another, as long as somebody wants them; it is called in a thread.

    Nothing can stop a thread from outside. So it looks at a flag, where it can: between steps.

    Args:
        steps: how many.
        step: takes one; it blocks.
        unwanted: the flag.

    Returns:
        How many it took.
    """
    for taken in range(steps):
        if unwanted.is_set():
            return taken
        step()
    return steps


class WorkHandler(SentenceHandler):
    """Has a thread do the work, and waits for it."""

    def initialize(self, pool: Pool, step: Callable[[], object], patience: float) -> None:
        """Keep the settings, see `work_app`."""
        self.pool = pool
        self.step = step
        self.patience = patience
        self.unwanted = threading.Event()
        self.limit: asyncio.Timeout | None = None

    def prepare(self) -> None:
        """Read how much is to be done."""
        steps = self.only_argument("steps", "1")
        # Python would take other digits for a number, too, and "1_0".
        if not re.fullmatch("-?[0-9]{1,999}", steps):
            raise HTTPError(400, "steps must be a number")
        self.steps = int(steps)
        if not 1 <= self.steps <= MOST_STEPS:
            raise HTTPError(400, f"steps must be from 1 to {MOST_STEPS}")

    async def get(self) -> None:
        """Answer how many steps were taken; refuse, or give up, what takes too long."""
        try:
            async with asyncio.timeout(self.patience) as self.limit:
                taken = await self.pool.run(work, self.steps, self.step, self.unwanted)
        except Full:
            self.set_header("Retry-After", str(RETRY_AFTER))
            self.set_status(503)
            self.write({"error": "All threads are at work, and the line is full."})
            return
        except TimeoutError:
            if self.unwanted.is_set():
                return
            raise HTTPError(504, f"This was not done within {self.patience:g} s.") from None
        finally:
            self.limit = None
            # Whatever ended the waiting: a thread that is still at work is told.
            self.unwanted.set()
        self.write({"steps": taken})

    def on_connection_close(self) -> None:
        """Wait no longer for somebody who has left."""
        self.unwanted.set()
        if self.limit and not self.limit.expired():
            self.limit.reschedule(0)


class CountHandler(SentenceHandler):
    """Tells who is where."""

    def initialize(self, pool: Pool) -> None:
        """Keep the pool."""
        self.pool = pool

    def get(self) -> None:
        """Answer with a page."""
        self.write(PAGE.format(self.pool))


def work_app(pool: Pool, step: Callable[[], object], patience: float = 10.0) -> Application:
    """Make the application around a pool and a step.

    Args:
        pool: who does the work. It is open while the application runs, and for nobody else.
        step: what blocks; it is called in a thread.
        patience: seconds that a visitor is kept waiting.
    """
    return SmallBodies(
        [
            (r"/", CountHandler, {"pool": pool}),
            (r"/work", WorkHandler, {"pool": pool, "step": step, "patience": patience}),
        ],
        default_handler_class=NotFoundHandler,
        default_handler_args={"there_is": "/ and /work?steps=3"},
        while_running=pool.open,
    )


def make_app(
    threads: int = 4, line: int = 8, step: float = 0.5, patience: float = 10.0
) -> Application:
    """Make the application for the command line, where a step sleeps in its thread.

    Args:
        threads: how many work at once.
        line: how many visitors may wait for a thread.
        step: seconds that a step takes, which nothing can shorten.
        patience: seconds that a visitor is kept waiting.

    Raises:
        ValueError: an argument is not what it should be.
    """
    if not 0 <= step <= LONGEST_STEP:
        raise ValueError(f"step must be from 0 to {LONGEST_STEP:g} seconds, not {step}")
    if not 0 < patience <= LONGEST:
        raise ValueError(
            f"patience must be more than 0 seconds, and a day at most, not {patience}"
        )
    return work_app(Pool(threads, line), partial(time.sleep, step), patience)


if __name__ == "__main__":
    sys.exit(main(make_app))
