"""Look for what holds a loop, on every loop of the process, also on those that are to come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from .entries import Hold
from .filmed_loop import FilmedLoop
from .films import Film
from .record import Noted, Record, Wait
from .sampling import sampling
from .steps import recording_every_loop
from .unwrapped import every_server, label_next_requests, lane_of_stranger, requests_at_work


class _OnlyLong(Record):
    """Keeps nothing of what did not last, however long the film is."""

    def __post_init__(self) -> None:
        self.add = _forget

    def note_wait(self, wait: Wait) -> None:
        pass


def _forget(_: Noted) -> None:
    pass


class EveryLoop:
    """What held the loops of the process while the block of `every_loop` lasted.

    Attributes:
        red: a step longer than this holds a loop, in seconds.
    """

    def __init__(self, red: float) -> None:
        """Begin now.

        Args:
            red: a step longer than this holds a loop, in seconds.
        """
        self.red = red
        self._began = time.perf_counter()
        self._films: list[Film] = []

    @property
    def held_at(self) -> list[Hold]:
        """Every step that held a loop, in order, see `Film.held_at`."""
        holds = [hold for film in list(self._films) for hold in film.held_at]
        return sorted(holds, key=lambda hold: hold.start)

    def begin(self, filmed: FilmedLoop) -> Record:
        """Return where to write what one more loop does."""
        film = Film(self.red)
        film.record = _OnlyLong(began=self._began, red=self.red)
        self._films.append(film)
        filmed.names_all = True
        # What was there before the first step that anybody sees.
        handlers = dict(requests_at_work(filmed.loop))
        for task in asyncio.all_tasks(filmed.loop):
            if task in filmed.strangers:
                continue
            if task not in handlers:
                filmed.add_stranger(task)
            elif lane := lane_of_stranger(handlers[task]):
                filmed.strangers[task] = lane
        label_next_requests(filmed.loop)
        return film.record


@contextmanager
def every_loop(red: float) -> Iterator[EveryLoop]:
    """Look what holds any loop of the process while the block lasts, in whatever thread.

    Args:
        red: a step longer than this holds a loop, in seconds.

    Yields:
        What says it.
    """
    seen = EveryLoop(red)
    with ExitStack() as stack:
        watcher = stack.enter_context(recording_every_loop(seen.begin))
        stack.enter_context(every_server())
        stack.enter_context(sampling(lambda: list(watcher.records), red))
        yield seen
