"""Notice every step that an event loop takes, while it is being filmed.

All that a loop does is to run one step after another, and every step of an asyncio loop goes
through `asyncio.Handle._run`. While there are films, that method also notes the time before and
after, and the step's lane, see `lanes`. It does so for callbacks, coroutines and greenlets in
the same way.

Not every step belongs to one lane from its beginning to its end. A connection's own step begins
the request that it has read; a task that is started eagerly takes its first step within the one
that started it; `nest_asyncio` runs a loop within a step. Such a part is a step of its own, and
what is around it counts as other steps.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from .filmed_loop import FRESH, LONG_WAIT, FilmedLoop
from .lanes import LANE, Lane
from .record import Record

T = TypeVar("T")


# -- all loops that are being filmed -----------------------------------------------------------

# The garbage collector may end a film that nobody has ended, wherever memory is taken.
_lock = threading.RLock()
_patch: _Patch | None = None


class _Patch:
    """Replaces `asyncio.Handle._run`, for as long as there are films, by one that notes."""

    def __init__(self) -> None:
        self.loops: dict[asyncio.AbstractEventLoop, FilmedLoop] = {}
        self.watchers: tuple[Watcher, ...] = ()
        self.users = 0
        self.original = asyncio.Handle._run
        self.run = self._make_run()
        asyncio.Handle._run = self.run  # type: ignore[assignment,method-assign]

    def _make_run(self) -> Callable[[Any], None]:
        loops, original = self.loops, self.original

        # This runs at every step of every loop of the process, so what is rare is elsewhere.
        @functools.wraps(original)
        def _run(handle: Any) -> None:
            filmed = loops.get(handle._loop)
            if filmed is None and self.watchers:
                filmed = self.newcomer(handle._loop)
            if filmed is None:
                return original(handle)
            lane, outer, start = handle._context.get(LANE), filmed.step, time.perf_counter()
            if lane is not None:
                if start - lane.idle_since > LONG_WAIT:
                    filmed.note_wait(lane, handle, start)
            elif filmed.strangers:
                lane = filmed.lane_of_stranger(handle)
            if start - filmed.asked_at > FRESH:
                filmed.ask(start)
            if outer is None:
                filmed.step = step = filmed.outermost
                step.lane, step.began, step.since = lane, start, start
                step.scheduled, step.handle = filmed.scheduled, handle
            else:
                step = filmed.begin(lane, start, handle)
            try:
                return original(handle)
            finally:
                end = time.perf_counter()
                if outer is not None:
                    filmed.end_of_part(step, outer, end)
                elif end - step.since > filmed.red:
                    filmed.note(step, end)
                else:
                    since = step.since
                    for record in filmed.records:
                        # Without a step in which the film began.
                        if since >= record.began:
                            record.add((lane, since, end))
                    if lane is not None:
                        lane.idle_since = end
                filmed.step = outer

        _run.__module__ = __name__
        return _run

    def filmed(self, loop: asyncio.AbstractEventLoop) -> FilmedLoop:
        """Return a loop that is being filmed, from now on at the latest."""
        filmed = self.loops.get(loop)
        if filmed is None:
            filmed = FilmedLoop(loop)
            for watcher in self.watchers:
                watcher.add(filmed)
            self.loops[loop] = filmed
        return filmed

    def newcomer(self, loop: asyncio.AbstractEventLoop) -> FilmedLoop | None:
        """Film a loop of which nobody has seen a step, if somebody wants that."""
        if not isinstance(loop, asyncio.BaseEventLoop):
            return None
        with _lock:
            for watcher in self.watchers:
                for other in [*watcher.records]:
                    if other.loop.is_closed():
                        self.leave(other, watcher.records.pop(other))
            return self.filmed(loop) if self.watchers else None

    def leave(self, filmed: FilmedLoop, record: Record) -> None:
        """Write down no more of a loop here, and nothing of it if nobody else does."""
        filmed.remove(record)
        if not filmed.records:
            self.loops.pop(filmed.loop, None)
            filmed.close()

    def remove_if_done(self) -> None:
        """Leave asyncio as it was, if there are no more films."""
        global _patch
        if self.loops or self.watchers or self.users:
            return
        _patch = None
        # Somebody else may have replaced the method since, and may call ours. Then ours stays,
        # and only passes calls on: it has no films, and never gets any again.
        if asyncio.Handle._run is self.run:
            asyncio.Handle._run = self.original  # type: ignore[method-assign]


@contextmanager
def _patched() -> Iterator[_Patch]:
    """Replace the method if that is not done yet, and put it back if nothing came of that."""
    global _patch
    with _lock:
        patch = _patch = _patch or _Patch()
        patch.users += 1
        try:
            yield patch
        finally:
            patch.users -= 1
            patch.remove_if_done()


def _forget() -> None:
    """Leave a forked process as if there were no films: nobody looks at them there."""
    global _lock, _patch
    _lock = threading.RLock()
    patch, _patch = _patch, None
    if patch is not None:
        for filmed in list(patch.loops.values()):
            filmed.close()
        patch.loops.clear()
        patch.watchers = ()
        if asyncio.Handle._run is patch.run:
            asyncio.Handle._run = patch.original  # type: ignore[method-assign]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


@contextmanager
def recording(record: Record, loop: asyncio.AbstractEventLoop) -> Iterator[FilmedLoop]:
    """Write down every step of a loop that takes place while the block lasts.

    Args:
        record: where.
        loop: the loop, which runs in this thread.

    Yields:
        The loop, as it is filmed.
    """
    with _patched() as patch:
        filmed = patch.filmed(loop)
        filmed.add(record)
    try:
        yield filmed
    finally:
        with _lock:
            patch.leave(filmed, record)
            patch.remove_if_done()


class Watcher:
    """Whoever wants to see every loop that takes a step.

    Attributes:
        records: what is written down of each loop that is not closed.
    """

    def __init__(self, begin: Callable[[FilmedLoop], Record]) -> None:
        self.records: dict[FilmedLoop, Record] = {}
        self._begin = begin

    def add(self, filmed: FilmedLoop) -> None:
        """Write down the steps of one more loop."""
        record = self._begin(filmed)
        filmed.add(record)
        self.records[filmed] = record


@contextmanager
def recording_every_loop(begin: Callable[[FilmedLoop], Record]) -> Iterator[Watcher]:
    """Write down the steps of all loops, in all threads, while the block lasts.

    Args:
        begin: it is called in the first step of each loop, in its thread, and returns where to
            write; and at once, in this thread, for a loop that is being filmed already.

    Yields:
        What says which loops there are.
    """
    watcher = Watcher(begin)
    with _patched() as patch:
        for filmed in list(patch.loops.values()):
            watcher.add(filmed)
        patch.watchers = (*patch.watchers, watcher)
    try:
        yield watcher
    finally:
        with _lock:
            patch.watchers = tuple(other for other in patch.watchers if other is not watcher)
            for filmed, record in list(watcher.records.items()):
                filmed.note_unfinished(record)
                patch.leave(filmed, record)
            patch.remove_if_done()


def as_part_of_step(lane: Lane | None, function: Callable[..., T], *args: Any) -> T:
    """Call what is a part of another step in a lane, and note it as a step of its own.

    Args:
        lane: the lane, or `None`.
        function: what to call.
        *args: with what.

    Returns:
        What it returns.
    """
    token = LANE.set(lane)
    try:
        filmed = None
        if _patch is not None and lane is not None:
            filmed = _patch.loops.get(asyncio.get_running_loop())
        if filmed is None:
            return function(*args)
        outer = filmed.step
        step = filmed.begin(lane, time.perf_counter())
        try:
            return function(*args)
        finally:
            now = time.perf_counter()
            # A part that is short is left where it was, unless it is all that there is.
            answered = lane is not None and (lane.finished or 0.0) >= step.began
            if answered or now - step.since > filmed.red or step.since != step.began:
                filmed.end_of_part(step, outer, now)
            filmed.step = outer
    finally:
        LANE.reset(token)
