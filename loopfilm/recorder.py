"""Record every step that an event loop takes, while it happens.

All that a loop does is to run one step after another, and every step of an asyncio loop goes
through `asyncio.Handle._run`. While a film is running, that method also notes the time before
and after, and the step's lane, see `lanes`. It does so for callbacks, coroutines and greenlets
in the same way.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any

from .films import Film, Record
from .lanes import LANE

HEARTBEAT = 0.025  # seconds from one beat to the next


@contextmanager
def film(*, red: float = 0.25) -> Iterator[Film]:
    """Record every step that the running loop takes while the block lasts.

    The step in which the block begins, and the one in which it ends, are not in the film. While
    it is made an empty turn of the loop costs a little more CPU time, and a request that only
    says hello hardly more.

    Args:
        red: a step longer than this holds the loop, in seconds.

    Yields:
        The film.

    Raises:
        RuntimeError: no loop is running here.
        TypeError: the loop that is running here is not asyncio's own.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "film() records a running event loop, and none is running here: "
            "use it in a coroutine or in a cell of a notebook, or let watch() bring a loop"
        ) from None
    if not isinstance(loop, asyncio.BaseEventLoop):
        raise TypeError(
            f"film() sees only asyncio's own event loops, not {type(loop).__module__}."
            f"{type(loop).__qualname__}, whose steps do not pass asyncio.Handle"
        )
    recorded = Film(red)
    heart = _Heart(recorded.record.beats, loop)
    _start(recorded.record, loop)
    try:
        heart.start()
        yield recorded
    finally:
        heart.stop()
        _stop(recorded.record, loop)


class _Heart:
    """Beats on a loop, and notes when."""

    def __init__(self, beats: list[float], loop: asyncio.AbstractEventLoop) -> None:
        self.beats = beats
        self.loop = loop

    def start(self) -> None:
        # An empty context, or the heartbeat would be in the lane in which the film was started.
        self.next = self.loop.call_soon(self.beat, context=Context())

    def beat(self) -> None:
        self.beats.append(time.perf_counter())
        self.next = self.loop.call_later(HEARTBEAT, self.beat, context=Context())

    def stop(self) -> None:
        # A handle that is cancelled forgets whom it was to call, so no cycle is left.
        self.next.cancel()


class _Patch:
    """Replaces `asyncio.Handle._run`, for as long as there are films, by one that records."""

    def __init__(self) -> None:
        self.records: dict[asyncio.AbstractEventLoop, tuple[Record, ...]] = {}
        self.original = asyncio.Handle._run
        self.run = self._make_run()
        asyncio.Handle._run = self.run  # type: ignore[assignment,method-assign]

    def _make_run(self) -> Callable[[Any], None]:
        records, original, clock, variable = (
            self.records,
            self.original,
            time.perf_counter,
            LANE,
        )

        # This runs at every step of every loop of the process, so all it does is to record.
        def _run(handle: Any) -> None:
            running = records.get(handle._loop)
            if running is None:
                return original(handle)
            lane = handle._context.get(variable)
            start = clock()
            try:
                return original(handle)
            finally:
                end = clock()
                for record in running:
                    # Without the step that ended the film: it is part of making the film.
                    if record.ended is None:
                        record.steps.append((lane, start, end))

        return _run

    def remove(self) -> None:
        # Somebody else may have replaced the method since, and may call ours. Then ours stays,
        # and only passes calls on: it has no films, and never gets any again.
        if asyncio.Handle._run is self.run:
            asyncio.Handle._run = self.original  # type: ignore[method-assign]


_lock = threading.Lock()
_patch: _Patch | None = None


def _start(record: Record, loop: asyncio.AbstractEventLoop) -> None:
    global _patch
    with _lock:
        if _patch is None:
            _patch = _Patch()
        _patch.records[loop] = (*_patch.records.get(loop, ()), record)


def _stop(record: Record, loop: asyncio.AbstractEventLoop) -> None:
    global _patch
    with _lock:
        record.ended = time.perf_counter()
        assert _patch is not None
        others = tuple(other for other in _patch.records[loop] if other is not record)
        if others:
            _patch.records[loop] = others
            return
        del _patch.records[loop]
        if not _patch.records:
            _patch.remove()
            _patch = None
