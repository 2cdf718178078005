"""Look for what holds a loop, on every loop of the process, also on those that are to come."""

from __future__ import annotations

import asyncio
import functools
import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

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
        unseen: the types of loops that were at work, and whose steps nobody can see.
    """

    def __init__(self, red: float) -> None:
        """Begin now.

        Args:
            red: a step longer than this holds a loop, in seconds.
        """
        self.red = red
        self.unseen: list[type] = []
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
        stack.enter_context(_noting_loops_of("uvloop", seen.unseen))
        yield seen


@contextmanager
def _noting_loops_of(module: str, found: list[type]) -> Iterator[None]:
    """Note the types of a module's loops that are made, or run, while the block lasts."""
    try:
        # Also if nobody has imported it so far: somebody may do so in the block.
        kind = importlib.import_module(module).Loop
    except Exception:
        # It is not installed, or not as it should be: then nobody has such a loop.
        yield
        return
    with ExitStack() as stack:
        # Of the type, since whoever makes a loop may have taken hold of the function before.
        for name in ("__init__", "run_forever", "run_until_complete"):
            if method := getattr(kind, name, None):
                stack.callback(_restore, kind, name, vars(kind).get(name))
                setattr(kind, name, _noting(method, found))
        yield


def _noting(method: Callable[..., Any], found: list[type]) -> Callable[..., Any]:
    @functools.wraps(method)
    def noting(loop: object, *args: Any, **options: Any) -> Any:
        found.append(type(loop))
        return method(loop, *args, **options)

    return noting


def _restore(kind: type, name: str, method: object) -> None:
    if method is None:
        delattr(kind, name)
    else:
        setattr(kind, name, method)
