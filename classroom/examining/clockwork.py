"""What a checker does with the loop of an answer that waits: count turns, let time pass."""

from __future__ import annotations

import asyncio
import sys
from asyncio import TimerHandle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from .evidence import YOUR_CODE

TURNS = 400
# Seconds. A timer that rings sooner is a turn in disguise.
AT_ONCE = 0.0005
# Seconds that pass for an answer which is waited for. It is longer than people pause instead of
# waiting, and shorter than the deadlines that clients have.
LONG = 3.0
# Between a learner's call and the loop lies what Tornado and asyncio make of it.
NEAR = 8


class Clock:
    """The clock of a loop. Whoever has kept its `time` sees, too, that it is put forward.

    Attributes:
        by_itself: the seconds that pass without that.
        ahead: by how many it was put forward.
    """

    def __init__(self, by_itself: Callable[[], float]) -> None:
        """Begin with what passes by itself."""
        self.by_itself = by_itself
        self.ahead = 0.0

    def time(self) -> float:
        """Return what the clock shows, in seconds."""
        return self.by_itself() + self.ahead


def give_clock(loop: asyncio.AbstractEventLoop, by_itself: Callable[[], float]) -> Clock:
    """Give a loop a clock that can be put forward, and return that.

    Args:
        loop: the loop. The clock is given before anybody asks it for the time.
        by_itself: the seconds that pass by themselves.
    """
    clock = Clock(by_itself)
    loop.time = clock.time  # type: ignore[method-assign]
    return clock


def let_pass(seconds: float = LONG) -> None:
    """Put the clock of the loop forward, so that timers ring which nobody has to wait for.

    Args:
        seconds: by how much.
    """
    _clock().ahead += seconds


def by_itself() -> Callable[[], float]:
    """Return what tells the time of the loop as if it was never put forward."""
    return _clock().by_itself


def _clock() -> Clock:
    loop = asyncio.get_running_loop()
    clock = getattr(loop.time, "__self__", None)
    return clock if isinstance(clock, Clock) else give_clock(loop, loop.time)


async def goes_round() -> bool:
    """Return whether something asks for a turn of the loop again and again.

    To be asked when everything that can be done is done, and all wait. It counts turns and no
    time, so it says the same on every machine.
    """
    asked = 0

    def noting(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **settings: Any) -> Any:
            nonlocal asked
            asked += 1
            return original(*args, **settings)

        return call

    def noting_timers(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(when: float, *args: Any, **settings: Any) -> Any:
            nonlocal asked
            asked += when - loop.time() < AT_ONCE
            return original(when, *args, **settings)

        return call

    loop = asyncio.get_running_loop()
    with (
        _instead(loop, "call_soon", noting),
        _instead(loop, "call_soon_threadsafe", noting),
        _instead(loop, "call_at", noting_timers),
    ):
        for _ in range(TURNS):
            await asyncio.sleep(0)
    # One for each turn is our own.
    return asked - TURNS > TURNS / 2


def note_alarms() -> list[float]:
    """Note for how many seconds the learner's code sets alarms on this loop, from now on."""
    loop: Any = asyncio.get_running_loop()
    original: Callable[..., Any] = loop.call_at
    noted: list[float] = []

    def call_at(when: float, *args: Any, **settings: Any) -> Any:
        if _is_learners(sys._getframe(1)):
            noted.append(when - loop.time())
        return original(when, *args, **settings)

    loop.call_at = call_at
    return noted


def _is_learners(frame: FrameType | None) -> bool:
    for _ in range(NEAR):
        if frame and frame.f_code.co_filename == YOUR_CODE:
            return True
        frame = frame and frame.f_back
    return False


@contextmanager
def timers() -> Iterator[list[TimerHandle]]:
    """Note the timers that are set on the loop while the block lasts."""
    noted: list[TimerHandle] = []

    def noting(original: Callable[..., TimerHandle]) -> Callable[..., TimerHandle]:
        def call(*args: Any, **settings: Any) -> TimerHandle:
            noted.append(handle := original(*args, **settings))
            return handle

        return call

    with _instead(asyncio.get_running_loop(), "call_at", noting):
        yield noted


@contextmanager
def _instead(
    loop: asyncio.AbstractEventLoop, name: str, make: Callable[[Any], Any]
) -> Iterator[None]:
    """Have a loop do something else by this name while the block lasts."""
    names = vars(loop)
    before = names.get(name)
    setattr(loop, name, make(getattr(loop, name)))
    try:
        yield
    finally:
        if before is None:
            delattr(loop, name)
        else:
            setattr(loop, name, before)
