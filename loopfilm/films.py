"""Read: who had the event loop, and when, from the steps that were recorded."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .lanes import Lane
from .picture import Row, as_image, draw

MOST_NAMES = 8

# After an answer Tornado looks at how the writing went, and twice at how the handler ended, in
# steps of some microseconds, which would look as if the handler went on.
TIDYING_STEPS = 3
TIDYING = 0.001

# Tornado's client gives this status to a request that got no answer.
NO_ANSWER = 599


class Step(NamedTuple):
    """One step of the loop: the lane, if it has one, and seconds since the film began."""

    lane: str | None
    start: float
    end: float


class Answer(NamedTuple):
    """What a visitor got: the status, and the body, as data if it was JSON."""

    status: int
    body: Any


@dataclass
class Record:
    """What `recorder` writes down while a film is running, and nobody has judged yet.

    Attributes:
        began: when, as all times here, in seconds of `time.perf_counter`.
        ended: when; `None` while it is running.
        steps: each step of the loop: its lane, if it has one, when it began, and when it ended.
        beats: when the heartbeat beat.
    """

    began: float = field(default_factory=time.perf_counter)
    ended: float | None = None
    steps: list[tuple[Lane | None, float, float]] = field(default_factory=list)
    beats: list[float] = field(default_factory=list)


@dataclass
class _Visit:
    """What the film saw of one lane; times are those of `time.perf_counter`."""

    name: str
    asked: float | None = None
    answered: float | None = None
    lane: Lane | None = None
    steps: list[tuple[float, float]] = field(default_factory=list)

    @property
    def first_seen(self) -> float:
        times = [start for start, _ in self.steps[:1]]
        return min(times if self.asked is None else [self.asked, *times])

    def under_way(self, now: float) -> tuple[float, float] | None:
        """Return from when to when the handler was under way, if it ever was."""
        if self.lane is None:
            return None
        start, end = self.steps[0][0], self.steps[-1][1]
        if self.lane.finished is not None:
            end = min(self.lane.finished, now)
        elif self.lane.is_request:
            end = now
        return start, max(start, end)

    def waited(self, now: float) -> tuple[float, float]:
        """Return from when to when somebody waited for it.

        The wait ends when the answer leaves: a visitor on the same loop only learns of it when
        the loop is free again, and visitors elsewhere do not have that trouble.
        """
        handled = self.under_way(now)
        if self.lane and self.lane.finished is not None:
            end = self.lane.finished
        elif self.answered is not None:
            end = self.answered
        elif handled and self.asked is None:
            end = handled[1]
        else:
            end = now
        return self.first_seen, min(end, now)

    def bars(self) -> list[tuple[float, float]]:
        """Return the steps to draw: all but those that tidy up after an answer."""
        finished = self.lane.finished if self.lane else None
        if finished is None:
            return self.steps
        late = [(start, end) for start, end in self.steps if start > finished]
        tidying = [(start, end) for start, end in late if end - start < TIDYING]
        return [step for step in self.steps if step not in tidying[:TIDYING_STEPS]]


class Film:
    """What `film` recorded.

    In a notebook it shows itself as a picture. As text it says only what the experiment fixes,
    whatever the speed of the machine: `str(f)` is the same in every run.

    Attributes:
        red: a step longer than this holds the loop, in seconds.
        answers: what the visitors got, in the order of the visits, if `watch` made the film.
        record: what was recorded, as it came.
    """

    def __init__(self, red: float = 0.25) -> None:
        """Begin an empty film; `film` fills it."""
        self.red = red
        self.answers: list[Answer] = []
        self.record = Record()
        self._asked: dict[str, _Visit] = {}
        self._asked_as: Counter[str] = Counter()

    def asked(self, lane: str) -> str:
        """Note that a visitor sends a request now.

        Args:
            lane: the lane in which the request will be handled.

        Returns:
            What the film calls it, for `answered`: the second to ask as "ada" is "ada 2".
        """
        self._asked_as[lane] += 1
        name = _numbered(lane, self._asked_as[lane])
        self._asked[name] = _Visit(name, asked=time.perf_counter())
        return name

    def answered(self, lane: str) -> None:
        """Note that a visitor has its answer now.

        Args:
            lane: what `asked` returned.

        Raises:
            KeyError: nobody asked in this lane.
        """
        self._asked[lane].answered = time.perf_counter()

    @property
    def steps(self) -> list[Step]:
        """Every step of the loop that began and ended while the film was running."""
        names = {visit.lane: visit.name for visit in self._visits() if visit.lane}
        return [
            Step(
                names.get(lane) if lane else None,
                start - self.record.began,
                end - self.record.began,
            )
            for lane, start, end in self.record.steps
        ]

    @property
    def lanes(self) -> list[str]:
        """The lanes, in the order in which they asked, or were seen first."""
        return [visit.name for visit in self._visits()]

    @property
    def together(self) -> int:
        """The largest number of lanes whose handlers were under way at once."""
        changes: list[tuple[float, int]] = []
        for visit in self._visits():
            if span := visit.under_way(self._now()):
                changes += [(span[0], 1), (span[1], -1)]
        most = count = 0
        for _, change in sorted(changes):
            count += change
            most = max(most, count)
        return most

    @property
    def held(self) -> list[str]:
        """The lanes that had the thread for longer than `red` in one step, as it happened."""
        long = (step.lane for step in self.steps if step.end - step.start > self.red)
        return list(dict.fromkeys(lane for lane in long if lane))

    def __str__(self) -> str:
        """Return what the experiment fixes, in words."""
        lanes, held, together = self.lanes, self.held, self.together
        if not lanes:
            return "Nobody asked for anything."
        if together == 0:
            how = "nobody was served"
        elif len(lanes) == 1:
            how = "alone"
        elif together == 1:
            how = "one after another"
        else:
            how = f"{together} at once"
        if not held:
            holders = "Nobody"
        elif len(held) == len(lanes) > MOST_NAMES:
            holders = "Each of them"
        else:
            holders = _listing(held) + (" each" if len(held) > 1 else "")
        return f"{_listing(lanes)}: {how}. {holders} held the loop."

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_image(self.svg(), str(self))

    def svg(self) -> str:
        """Draw the film, see `picture.draw`."""
        now, began = self._now(), self.record.began

        def since(span: tuple[float, float]) -> tuple[float, float]:
            return span[0] - began, span[1] - began

        rows = [
            Row(visit.name, [since(bar) for bar in visit.bars()], since(visit.waited(now)))
            for visit in self._visits()
        ]
        others = [
            (step.start, step.end)
            for step in self.steps
            if step.lane is None and step.end - step.start > self.red
        ]
        title = str(self)
        if others:
            # Not in the text: other work may be slow where the machine is.
            title = title.replace("Nobody held", "Only other work held")
            rows.append(Row("other work", others))
        beats = [beat - began for beat in self.record.beats]
        return draw(rows, beats, now - began, red=self.red, title=title)

    def _now(self) -> float:
        return time.perf_counter() if self.record.ended is None else self.record.ended

    def _visits(self) -> list[_Visit]:
        """Return what was seen of each lane, in the order of the first sight."""
        visits = {
            name: _Visit(name, visit.asked, visit.answered)
            for name, visit in self._asked.items()
        }
        named: dict[Lane, _Visit] = {}
        seen: Counter[str] = Counter()
        for lane, start, end in self.record.steps:
            if lane is None:
                continue
            if lane not in named:
                # What is left to tidy up after an answer of before the film is no visit.
                if lane.finished is not None and lane.finished < self.record.began:
                    continue
                seen[lane.name] += 1
                name = _numbered(lane.name, seen[lane.name])
                named[lane] = visits.setdefault(name, _Visit(name))
                named[lane].lane = lane
            named[lane].steps.append((start, end))
        return sorted(visits.values(), key=lambda visit: visit.first_seen)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name} {number}"


def _listing(names: Sequence[str]) -> str:
    if len(names) > MOST_NAMES:
        names = [*names[:3], f"{len(names) - 3} others"]
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
