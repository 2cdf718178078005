"""Look at a thread while a step of its loop lasts, from another thread.

Nobody can tell afterwards where a step was. So a second thread looks a few times a second
whether a step is still the one of the last time; only then it looks where that step stands.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .steps import FilmedLoop, Step
from .where import place_of_thread

# Seconds between two looks, at most; and how often at least while a step becomes red.
MOST = 0.05
LOOKS = 4
LEAST = 0.002
MOST_PLACES = 1000


@contextmanager
def sampling(filmed: FilmedLoop, red: float) -> Iterator[None]:
    """Look where long steps stand, as long as the block lasts.

    Args:
        filmed: the loop whose steps these are.
        red: a step longer than this is long, in seconds.
    """
    done = threading.Event()
    pause = max(min(red / LOOKS, MOST), LEAST)
    watcher = threading.Thread(
        target=_watch, args=(filmed, done, pause), name="loopfilm", daemon=True
    )
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _watch(filmed: FilmedLoop, done: threading.Event, pause: float) -> None:
    before: tuple[Step, float] | None = None
    while not done.wait(pause):
        step = filmed.step
        now = None if step is None else (step, step.since)
        if step is not None and now == before and len(step.places) < MOST_PLACES:
            place = place_of_thread(filmed.thread)
            # It may have ended meanwhile, and then this is the place of another.
            if place is not None and filmed.step is step and now == (step, step.since):
                step.places = (*step.places, place)
        before = now
