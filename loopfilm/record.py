"""What is written down while a film is made; `films` makes sense of it.

All times are in seconds of `time.perf_counter`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from .lanes import Lane
from .where import Place

# Of more steps than this only those are kept that held the loop: a film of a day is no film.
MOST_STEPS = 1_000_000
MOST_LONG = MOST_WAITS = 100_000

Noted = tuple[Lane | None, float, float]


class Long(NamedTuple):
    """What is known of a step that lasted, beyond when it was.

    Attributes:
        lacked: for how many seconds of it the thread could have run, and had no processor.
        places: where it stood, each time that somebody looked.
        is_handler: whether it was a step of the handler of a request itself, and not of
            something that the handler started.
        slept: for how many seconds it did not want a processor.
        shares: for how many seconds, each time, it is taken to have stood there.
    """

    lacked: float = 0.0
    places: tuple[Place, ...] = ()
    is_handler: bool = True
    slept: float = 0.0
    shares: tuple[float, ...] = ()


class Wait(NamedTuple):
    """A pause between two steps of a lane.

    Attributes:
        lane: whose.
        start: when it began.
        end: when it ended.
        place: what was waited for, if that can be seen.
    """

    lane: Lane
    start: float
    end: float
    place: Place | None


@dataclass
class Record:
    """All of it.

    Attributes:
        began: when the film began.
        ended: when it ended; `None` while it is running.
        red: a step longer than this is looked at, in seconds.
        steps: each step of the loop: its lane, if it has one, when it began, and when it ended.
        long: what is known of the steps that lasted, by when they began.
        waits: the pauses that lasted.
        beats: each beat of the heartbeat.
        left_out: how many steps there were beyond those that are kept.
        most_steps: how many are kept, and a few more; beyond, only those that lasted.
    """

    began: float
    ended: float | None = None
    red: float = 0.25
    steps: list[Noted] = field(default_factory=list)
    long: dict[float, Long] = field(default_factory=dict)
    waits: list[Wait] = field(default_factory=list)
    beats: list[float] = field(default_factory=list)
    left_out: int = 0
    most_steps: int = MOST_STEPS

    def __post_init__(self) -> None:
        """Let steps be added as fast as that can be."""
        self.add: Callable[[Noted], object] = self.steps.append

    def note(
        self, lane: Lane | None, start: float, end: float, long: Long | None = None
    ) -> None:
        """Write down a step.

        Args:
            lane: its lane.
            start: when it began.
            end: when it ended.
            long: what is known of it, if it lasted.
        """
        if long is None or end - start <= self.red:
            self.add((lane, start, end))
        elif len(self.long) < MOST_LONG:
            self.long[start] = long
            self.steps.append((lane, start, end))
        else:
            self.left_out += 1

    def limit(self) -> None:
        """Keep no more short steps, if there are many; to be called now and then."""
        if len(self.steps) > self.most_steps:
            self.add = self._leave_out

    def _leave_out(self, _: Noted) -> None:
        self.left_out += 1

    def note_wait(self, wait: Wait) -> None:
        """Write down a pause, as long as there are not too many."""
        if len(self.waits) < MOST_WAITS:
            self.waits.append(wait)
