"""Look at a thread while a step of its loop lasts, from another thread.

Nobody can tell afterwards where a step was. So a second thread looks some times a second how
long the step lasts that goes on; if that is long enough, it looks where the step stands.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from .filmed_loop import FilmedLoop, Looks, Step
from .where import place_of_thread

# Seconds between two looks, at most; and how often at least while a step becomes red.
MOST = 0.05
LOOKS = 4
LEAST = 0.002
MOST_PLACES = 1000


@contextmanager
def sampling(loops: Callable[[], Iterable[FilmedLoop]], red: float) -> Iterator[None]:
    """Look where long steps stand, as long as the block lasts.

    Args:
        loops: says whose steps these are, at each look.
        red: a step longer than this is long, in seconds.
    """
    done = threading.Event()
    pause = max(min(red / LOOKS, MOST), LEAST)
    watcher = threading.Thread(
        target=_watch, args=(loops, done, pause), name="loopfilm", daemon=True
    )
    watcher.start()
    try:
        yield
    finally:
        done.set()
        # The garbage collector may have come by in that thread, and ended a film.
        if watcher is not threading.current_thread():
            watcher.join()


def _watch(
    loops: Callable[[], Iterable[FilmedLoop]], done: threading.Event, pause: float
) -> None:
    before = time.perf_counter()
    while not done.wait(pause):
        now = time.perf_counter()
        for filmed in loops():
            _look(filmed, pause, now - before)
        before = now


def _look(filmed: FilmedLoop, pause: float, elapsed: float) -> None:
    step = filmed.step
    since = 0.0 if step is None else step.since
    # A call that lets no other thread run is over when this one comes: it looks at once.
    if step is None or (lasted := time.perf_counter() - since) < pause:
        return
    looks = step.looks if step.looks.since == since else Looks(since)
    if len(looks.places) < MOST_PLACES:
        place = place_of_thread(filmed.thread_now())
        # It may have ended meanwhile, and then this is the place of another.
        if place is not None and filmed.step is step and step.since == since:
            # Such a call is seen once, however long it was: the time since nobody could look
            # is its share.
            places, shares = (*looks.places, place), (*looks.shares, min(elapsed, lasted))
            step.looks = looks._replace(places=places, shares=shares)
    # To ask lets other threads run, and so comes last.
    _note_sleep(filmed, step, since)


def _note_sleep(filmed: FilmedLoop, step: Step, since: float) -> None:
    before, ran, after = time.perf_counter(), filmed.asleep(), time.perf_counter()
    if filmed.step is not step or step.since != since:
        return
    # Whoever makes another film of this loop may have looked meanwhile.
    looks = step.looks if step.looks.since == since else Looks(since)
    slept = 0.0
    if ran is not None and looks.fell_asleep is not None and looks.fell_asleep[1] == ran:
        slept = max(before - looks.fell_asleep[0], 0.0)
    fell_asleep = None if ran is None else (after, ran)
    step.looks = looks._replace(asleep=looks.asleep + slept, fell_asleep=fell_asleep)
