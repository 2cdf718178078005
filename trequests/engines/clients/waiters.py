"""Futures of those who wait on a loop for the same event, each with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

# Returns when the time is over, in the loop's time; None or 0 means that this is not known yet.
Due: TypeAlias = Callable[[], float | None]

# On a loop that is late the timer runs before events that were in time. It gets so many more
# turns to handle those.
GRACE_TURNS = 3


class Waiters:
    """All who wait for the same event.

    Args:
        loop: the loop on which they wait.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin without anybody."""
        self.loop = loop
        self.timers = dict[asyncio.Future[None], asyncio.TimerHandle | None]()

    def news(self, due: Due | None = None, span: float = 0) -> asyncio.Future[None]:
        """Return a future that is done at the next `wake`.

        Args:
            due: when the time is over; the future then has a `TimeoutError`.
            span: seconds after which `due` is asked again, as long as it is not known.
        """
        news: asyncio.Future[None] = self.loop.create_future()
        self.timers[news] = None
        if due:
            self._check_time(news, due, span, GRACE_TURNS)
        return news

    def wake(self) -> None:
        """Let all go on that wait; each checks for itself whether this is what it waits for."""
        timers, self.timers = self.timers, {}
        for news, timer in timers.items():
            if timer:
                timer.cancel()
            if not news.done():
                news.set_result(None)

    def _check_time(
        self, news: asyncio.Future[None], due: Due, span: float, turns: int
    ) -> None:
        if news.done():
            return
        now, at = self.loop.time(), due()
        if not at:
            again = now + span
        elif at > now:
            again = at
        elif turns:
            again, turns = now, turns - 1
        else:
            del self.timers[news]
            news.set_exception(TimeoutError("timed out"))
            return
        self.timers[news] = self.loop.call_at(again, self._check_time, news, due, span, turns)
