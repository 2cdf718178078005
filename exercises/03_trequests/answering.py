"""A backend that wants several questions at once, and has mercy on those who block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from classroom.examining.clockwork import by_itself
from loopfilm import running_apart
from stormy_demo.backend import Backend

# Seconds: long enough to be seen in a film, and three of them are less than `GIVE_UP_AFTER`.
STANDS = 0.6


async def nothing_else() -> None:
    """Look at nothing."""


@asynccontextmanager
async def answering(
    backend: Backend,
    together: int,
    look: Callable[[], Awaitable[None]] = nothing_else,
) -> AsyncIterator[str]:
    """Run a backend apart that answers when so many questions about profiles wait.

    A question whose asker holds the loop is let go after a while, so that the loop comes back
    and the film shows how long it stood.

    Args:
        backend: one that holds its questions.
        together: how many.
        look: what is done when all of them wait, before they are answered.

    Yields:
        Its address.
    """
    # `look` may put the loop's clock forward.
    now = by_itself()
    over, looked = threading.Event(), threading.Event()
    last = now()

    async def beat() -> None:
        nonlocal last
        while True:
            last = now()
            if backend.most >= together and not looked.is_set():
                await look()
                looked.set()
            await asyncio.sleep(0.01)

    def let_go() -> None:
        seen: dict[str, float] = {}
        while not over.wait(0.01) and not looked.is_set():
            for question in list(backend.asked):
                since = max(last, seen.setdefault(question, now()))
                if now() - since > STANDS:
                    backend.release(question)
        backend.release("profile")

    with running_apart(backend.app) as url:
        thread = threading.Thread(target=let_go, daemon=True)
        beating = asyncio.create_task(beat())
        thread.start()
        try:
            yield url
        finally:
            beating.cancel()
            over.set()
            thread.join()
