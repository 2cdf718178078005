"""Those who wait for news on a loop, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

# When the time is over, in the loop's time; nothing means that nobody knows yet.
Due: TypeAlias = Callable[[], float | None]

# A loop that is late learns of the end of the time before all that came within it has been
# through: so many more turns it gets.
TURNS = 3


class Waiters:
    """All who wait for the same news.

    Args:
        loop: where it comes.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin without anybody."""
        self.loop = loop
        self.timers = dict[asyncio.Future[None], asyncio.TimerHandle | None]()

    def news(self, due: Due | None = None, span: float = 0) -> asyncio.Future[None]:
        """Return what becomes done when there are news.

        Args:
            due: when the time is over; the future then has a `TimeoutError`.
            span: as long as nobody knows when that is, it is so many seconds away at least.
        """
        news: asyncio.Future[None] = self.loop.create_future()
        self.timers[news] = None
        if due:
            self._look_at_the_clock(news, due, span, TURNS)
        return news

    def wake(self) -> None:
        """Say that there are news."""
        timers, self.timers = self.timers, {}
        for news, timer in timers.items():
            if timer:
                timer.cancel()
            if not news.done():
                news.set_result(None)

    def _look_at_the_clock(
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
        self.timers[news] = self.loop.call_at(
            again, self._look_at_the_clock, news, due, span, turns
        )
