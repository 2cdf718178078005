"""Make a film: record every step that the running loop takes, while it happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import Context

from .films import Film
from .record import Record
from .sampling import sampling
from .steps import recording
from .unwrapped import every_server, label_next_requests, lane_of_stranger, requests_at_work

HEARTBEAT = 0.025  # seconds from one beat to the next


@contextmanager
def film(*, red: float = 0.25, where: bool = True) -> Iterator[Film]:
    """Record every step that the running loop takes while the block lasts.

    The step in which the block begins, and the one in which it ends, are not in the film. The
    requests of every Tornado server on the loop have lanes, and so have the tasks that are
    started meanwhile, named after the task.

    Args:
        red: a step longer than this holds the loop, in seconds.
        where: whether a second thread looks where a step stands while it lasts. It looks at
            none that is shorter than 0.05 s, or than a quarter of `red` if that is less. It
            also sees whether the step sleeps: without it, a sleep that Linux takes for standing
            in line for a processor is not red.

    Yields:
        The film.

    Raises:
        RuntimeError: no loop is running here.
        TypeError: the loop that is running here is not asyncio's own, or `red` is no number.
        ValueError: `red` is not above 0.
    """
    if isinstance(red, bool) or not isinstance(red, int | float):
        raise TypeError(f"red is a number of seconds, not {red!r}")
    if not red > 0:
        raise ValueError(f"red is a number of seconds above 0, not {red!r}")
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "film() records a running event loop, and none is running here: "
            "use it in a coroutine or in a cell of a notebook, or let watch() bring a loop"
        ) from None
    if not isinstance(loop, asyncio.BaseEventLoop):
        raise TypeError(not_seen("film()", type(loop)))
    recorded = Film(red)
    heart = _Heart(recorded.record, loop)
    with ExitStack() as stack:
        filmed = stack.enter_context(recording(recorded.record, loop))
        stack.enter_context(every_server())
        if where:
            stack.enter_context(sampling(lambda: [filmed], red))
        for task, handler in requests_at_work(loop):
            if task not in filmed.strangers and (lane := lane_of_stranger(handler)):
                filmed.strangers[task] = lane
        label_next_requests(loop)
        heart.start()
        stack.callback(heart.stop)
        yield recorded


def not_seen(who: str, kind: type) -> str:
    """Return why nobody sees the steps of a loop, in a sentence.

    Args:
        who: what does not see them, such as "film()".
        kind: the type of the loop.
    """
    return (
        f"{who} sees only asyncio's own event loops, not {kind.__module__}."
        f"{kind.__qualname__}, whose steps do not pass asyncio.Handle: "
        f"run the program without it to look, with asyncio.run or "
        f"asyncio.Runner(loop_factory=asyncio.new_event_loop)"
    )


class _Heart:
    """Beats on a loop, and notes when."""

    def __init__(self, record: Record, loop: asyncio.AbstractEventLoop) -> None:
        self.record = record
        self.loop = loop
        self.stopped = False

    def start(self) -> None:
        # An empty context, or the heartbeat would be in the lane in which the film was started.
        self.next = self.loop.call_soon(self.beat, context=Context())

    def beat(self) -> None:
        if not self.record.left_out:
            self.record.beats.append(time.perf_counter())
        self.record.limit()
        self.next = self.loop.call_later(HEARTBEAT, self.beat, context=Context())
        if self.stopped:
            # In the middle of this beat, by another thread or the garbage collector.
            self.next.cancel()

    def stop(self) -> None:
        self.stopped = True
        # A handle that is cancelled forgets whom it was to call, so no cycle is left.
        self.next.cancel()
