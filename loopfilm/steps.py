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
import inspect
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context
from typing import Any

from tornado.web import RequestHandler

from .lanes import LANE, Kind, Lane, in_lane
from .processor import Processor
from .record import Long, Record, Wait
from .where import Place, place_of_await

# Seconds. How old may be what the system has said of the processor, which costs a microsecond.
FRESH = 0.01
# Seconds. Of a shorter pause nobody asks what it waited for.
LONG_WAIT = 0.02
# What asyncio calls a task that nobody gave a name.
NAMELESS = re.compile(r"Task-\d+")
EXECUTE = RequestHandler._execute.__code__


class Step:
    """A step, or a part of one, that is going on.

    Attributes:
        lane: whose it is.
        began: when it began.
        since: when the part of it began that is still to be noted.
        lacked: what the processor had said by then.
        places: where it stood, whenever somebody looked.
        handle: what the loop runs; `None` for a part of a step.
    """

    __slots__ = ("began", "handle", "lacked", "lane", "places", "since")

    def __init__(
        self, lane: Lane | None, began: float, lacked: float, handle: Any = None
    ) -> None:
        self.lane = lane
        self.began = self.since = began
        self.lacked = lacked
        self.handle = handle
        self.places: list[Place] = []


class FilmedLoop:
    """A loop that is being filmed.

    Attributes:
        loop: it.
        thread: the thread that it runs in.
        records: those of the films that are being made of it.
        step: the step that goes on, or the innermost part of it.
        strangers: tasks of requests that came before anybody could label them, each with its
            lane.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.thread = threading.get_ident()
        self.records: tuple[Record, ...] = ()
        self.red = 0.0
        self.step: Step | None = None
        self.strangers: dict[asyncio.Future[Any], Lane] = {}
        self._tasks: dict[Lane, asyncio.Task[Any]] = {}
        self._processor = Processor()
        self._lacked, self._asked_at = 0.0, 0.0
        self._create_task = loop.create_task
        loop.create_task = self.create_task  # type: ignore[method-assign]

    def add(self, record: Record) -> None:
        """Write down all steps from now on, also here."""
        self.records = (*self.records, record)
        self.red = min(each.red for each in self.records)

    def remove(self, record: Record) -> None:
        """Write down no more here."""
        now = record.ended = time.perf_counter()
        for lane, task in self._tasks.items():
            if not task.done() and now - lane.idle_since > LONG_WAIT:
                place = place_of_await(task.get_coro())
                record.note_wait(Wait(lane, lane.idle_since, now, place))
        self.records = tuple(other for other in self.records if other is not record)
        if self.records:
            self.red = min(each.red for each in self.records)

    def close(self) -> None:
        """Leave the loop as it was."""
        # Somebody else may have replaced the method since, and may call ours.
        if vars(self.loop).get("create_task") == self.create_task:
            del self.loop.create_task
        self._processor.close()
        self._tasks.clear()
        self.strangers.clear()

    # -- steps ---------------------------------------------------------------------------------

    def lane_of(self, handle: Any) -> Lane | None:
        """Return whose step it will be, and note what its lane has waited for."""
        lane: Lane | None = handle._context.get(LANE)
        task = getattr(handle._callback, "__self__", None)
        if not isinstance(task, asyncio.Task):
            return lane
        if lane is None:
            if task not in self.strangers:
                return None
            lane = self.strangers.pop(task)
            # It cannot be entered a second time, if a loop runs within one of its steps.
            with suppress(RuntimeError):
                handle._context.run(LANE.set, lane)
        elif lane.kind is Kind.TASK and not lane.idle_since:
            name_after(lane, task)
        if lane.idle_since:
            now = time.perf_counter()
            if now - lane.idle_since > LONG_WAIT:
                wait = Wait(lane, lane.idle_since, now, place_of_await(task.get_coro()))
                for record in self.records:
                    record.note_wait(wait)
        self._tasks[lane] = task
        return lane

    def begin(self, lane: Lane | None, handle: Any = None) -> Step | None:
        """Note that a step begins, or a part of one.

        Args:
            lane: whose it is.
            handle: what the loop runs; `None` for a part of a step.

        Returns:
            What went on until now, for `end`.
        """
        now = time.perf_counter()
        outer = self.step
        self.step = Step(lane, now, self.lacked_at(now), handle)
        return outer

    def end(self, outer: Step | None, *, is_part: bool = False) -> None:
        """Note that it ends.

        Args:
            outer: what `begin` returned.
            is_part: whether it is left where it was, unless it held the loop.
        """
        step, now = self.step, time.perf_counter()
        self.step = outer
        if step is None:
            return
        if is_part and now - step.since <= self.red and step.since == step.began:
            return
        if outer is not None:
            self.note(outer, step.began, step.lacked)
        self.note(step, now)
        if outer is not None:
            outer.since, outer.lacked, outer.places = now, self.lacked_at(now), []

    def note(self, step: Step, end: float, lacked: float | None = None) -> None:
        """Write down what a step did since it was last noted."""
        lane, start = step.lane, step.since
        long = None
        if end - start > self.red:
            if lacked is None:
                lacked = self._processor.lacked()
            missing = min(max(lacked - step.lacked, 0.0), end - start)
            long = Long(missing, tuple(step.places), _is_handler(step.handle))
        for record in self.records:
            # Without the step that ended the film: it is part of making the film.
            if record.ended is None:
                record.note(lane, start, end, long)
        if lane is not None:
            lane.idle_since = end
            if (task := self._tasks.get(lane)) is not None and task.done():
                del self._tasks[lane]

    def lacked_at(self, now: float) -> float:
        """Return for how long there was no processor, as the system said a moment ago."""
        if now - self._asked_at > FRESH:
            self._lacked, self._asked_at = self._processor.lacked(), now
        return self._lacked

    # -- tasks ---------------------------------------------------------------------------------

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """Do what the loop's method does, with a lane for a task that would have none.

        A task that is started eagerly takes its first step in here.
        """
        context: Context | None = options.get("context")
        lane = LANE.get() if context is None else context.get(LANE)
        # The handler of a request that has no lane has been left out on purpose.
        is_left_out = getattr(coro, "cr_code", None) is EXECUTE
        is_free = lane is None or lane.kind in (Kind.TASK, Kind.NAMED_TASK)
        if context is None and is_free and not is_left_out:
            lane = Lane("", Kind.TASK)
            with in_lane(lane):
                task = self.created(lane, coro, options)
        else:
            task = self.created(lane, coro, options)
        return task

    def created(
        self, lane: Lane | None, coro: Any, options: dict[str, Any]
    ) -> asyncio.Task[Any]:
        """Create a task, and note the step that it takes at once, if it does."""
        outer = self.begin(lane)
        is_eager = False
        try:
            task = self._create_task(coro, **options)
            is_eager = inspect.iscoroutine(coro) and (
                inspect.getcoroutinestate(coro) != inspect.CORO_CREATED
            )
            if is_eager and lane is not None:
                if lane.kind is Kind.TASK:
                    name_after(lane, task)
                if not task.done():
                    self._tasks[lane] = task
            return task
        finally:
            self.end(outer, is_part=not is_eager)


def name_after(lane: Lane, task: asyncio.Task[Any]) -> None:
    """Name a lane after its task, or after what the task runs if the task has no name."""
    lane.name = task.get_name()
    if NAMELESS.fullmatch(lane.name):
        name = getattr(task.get_coro(), "__qualname__", lane.name)
        lane.name = name.rpartition("<locals>.")[2]
    else:
        lane.kind = Kind.NAMED_TASK


def _is_handler(handle: Any) -> bool:
    """Return whether a step is one of a request's handler itself."""
    if handle is None:
        return True
    task = getattr(handle._callback, "__self__", None)
    return isinstance(task, asyncio.Task) and (
        getattr(task.get_coro(), "cr_code", None) is EXECUTE
    )


# -- all loops that are being filmed -----------------------------------------------------------

_lock = threading.Lock()
_patch: _Patch | None = None


class _Patch:
    """Replaces `asyncio.Handle._run`, for as long as there are films, by one that notes."""

    def __init__(self) -> None:
        self.loops: dict[asyncio.AbstractEventLoop, FilmedLoop] = {}
        self.original = asyncio.Handle._run
        self.run = self._make_run()
        asyncio.Handle._run = self.run  # type: ignore[assignment,method-assign]

    def _make_run(self) -> Callable[[Any], None]:
        loops, original = self.loops, self.original

        @functools.wraps(original)
        def _run(handle: Any) -> None:
            filmed = loops.get(handle._loop)
            if filmed is None:
                return original(handle)
            outer = filmed.begin(filmed.lane_of(handle), handle)
            try:
                return original(handle)
            finally:
                filmed.end(outer)

        _run.__module__ = __name__
        return _run

    def remove(self) -> None:
        # Somebody else may have replaced the method since, and may call ours. Then ours stays,
        # and only passes calls on: it has no films, and never gets any again.
        if asyncio.Handle._run is self.run:
            asyncio.Handle._run = self.original  # type: ignore[method-assign]


@contextmanager
def recording(record: Record, loop: asyncio.AbstractEventLoop) -> Iterator[FilmedLoop]:
    """Write down every step of a loop that takes place while the block lasts.

    Args:
        record: where.
        loop: the loop, which runs in this thread.

    Yields:
        The loop, as it is filmed.
    """
    global _patch
    with _lock:
        if _patch is None:
            _patch = _Patch()
        patch = _patch
        filmed = patch.loops.get(loop) or FilmedLoop(loop)
        filmed.add(record)
        patch.loops[loop] = filmed
    try:
        yield filmed
    finally:
        with _lock:
            filmed.remove(record)
            if not filmed.records:
                del patch.loops[loop]
                filmed.close()
            if not patch.loops:
                patch.remove()
                _patch = None


@contextmanager
def part_of_step(lane: Lane | None) -> Iterator[None]:
    """Run what is a part of another step in a lane, as `in_lane` does, and note it as its own.

    Args:
        lane: the lane, or `None`.
    """
    patch = _patch if lane else None
    filmed = patch.loops.get(asyncio.get_running_loop()) if patch else None
    with in_lane(lane):
        if filmed is None:
            yield
            return
        outer = filmed.begin(lane)
        try:
            yield
        finally:
            filmed.end(outer, is_part=True)
