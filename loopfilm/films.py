"""Read: who had the event loop, and when, from the steps that were recorded."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .lanes import Lane
from .picture import Row, as_image, draw
from .timeline import Timeline

MOST_NAMES = 8  # in a sentence; of more lanes it names three, and counts the others

# Tornado's client gives this status to a request that got no answer.
NO_ANSWER = 599


class Step(NamedTuple):
    """One step of the loop.

    Attributes:
        lane: what the film calls its lane, or `None` if it has none.
        start: when it began, in seconds since the film began.
        end: when it ended, likewise.
    """

    lane: str | None
    start: float
    end: float


class Answer(NamedTuple):
    """What a visitor got.

    Attributes:
        status: the status of the response; `NO_ANSWER` if there was none.
        body: its text, or the data if it was JSON; without a response, why there was none.
    """

    status: int
    body: Any


@dataclass
class Record:
    """What `recorder` writes down while a film is running; `Film` makes sense of it.

    All times are in seconds of `time.perf_counter`.

    Attributes:
        began: when the film began.
        ended: when it ended; `None` while it is running.
        steps: each step of the loop: its lane, if it has one, when it began, and when it ended.
        beats: each beat of the heartbeat.
    """

    began: float
    ended: float | None = None
    steps: list[tuple[Lane | None, float, float]] = field(default_factory=list)
    beats: list[float] = field(default_factory=list)


class Film:
    """Who had the event loop, and when, while the block of `film` lasted.

    In a notebook it shows itself as a picture. As text it says only what the experiment fixes,
    whatever the speed of the machine: `str(f)` is the same in every run.

    Attributes:
        red: a step longer than this holds the loop, in seconds.
        answers: what the visitors got, in the order of the visits, if `watch` made the film.
        record: what was recorded; `recorder` fills it.
    """

    def __init__(self, red: float = 0.25) -> None:
        """Make an empty film; `film` fills it.

        Args:
            red: a step longer than this holds the loop, in seconds.
        """
        self.red = red
        self.answers: list[Answer] = []
        self.record = Record(began=time.perf_counter())
        self._asked: dict[str, Timeline] = {}
        self._times_asked: Counter[str] = Counter()

    def asked(self, lane: str) -> str:
        """Note that a visitor sends a request now.

        Args:
            lane: the name of the lane in which the request will be handled.

        Returns:
            What the film calls that lane, for `answered`: the second "ada" is "ada 2".
        """
        self._times_asked[lane] += 1
        name = _numbered(lane, self._times_asked[lane])
        self._asked[name] = Timeline(name, asked=time.perf_counter())
        return name

    def answered(self, lane: str) -> None:
        """Note that a visitor has its answer now.

        Args:
            lane: what `asked` returned.

        Raises:
            KeyError: `asked` returned no such name.
        """
        self._asked[lane].answered = time.perf_counter()

    @property
    def steps(self) -> list[Step]:
        """Every step of the loop that began and ended while the film was running."""
        names = {
            timeline.lane: timeline.name for timeline in self._timelines() if timeline.lane
        }
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
        return [timeline.name for timeline in self._timelines()]

    @property
    def together(self) -> int:
        """The largest number of lanes whose handlers were under way at once."""
        changes: list[tuple[float, int]] = []
        for timeline in self._timelines():
            if span := timeline.under_way(self._now()):
                changes += [(span[0], 1), (span[1], -1)]
        most = count = 0
        for _, change in sorted(changes):
            count += change
            most = max(most, count)
        return most

    @property
    def held(self) -> list[str]:
        """The lanes that had a step longer than `red`, in the order of these steps."""
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
        """Return the film as a picture, see `picture.draw`."""
        now, began = self._now(), self.record.began

        def since(span: tuple[float, float]) -> tuple[float, float]:
            return span[0] - began, span[1] - began

        rows = [
            Row(
                timeline.name,
                [since(bar) for bar in timeline.bars()],
                since(timeline.waited(now)),
            )
            for timeline in self._timelines()
        ]
        others = [
            (step.start, step.end)
            for step in self.steps
            if step.lane is None and step.end - step.start > self.red
        ]
        title = str(self)
        if others:
            # Not in `str(self)`, which is the same in every run: how long other work takes
            # depends on the machine.
            title = title.replace("Nobody held", "Only other work held")
            rows.append(Row("other work", others))
        beats = [beat - began for beat in self.record.beats]
        return draw(rows, beats, now - began, red=self.red, title=title)

    def _now(self) -> float:
        return time.perf_counter() if self.record.ended is None else self.record.ended

    def _timelines(self) -> list[Timeline]:
        """Return what was seen of each lane, in the order in which they were first seen."""
        timelines = {
            name: Timeline(name, asked.asked, asked.answered)
            for name, asked in self._asked.items()
        }
        of_lane: dict[Lane, Timeline] = {}
        times_seen: Counter[str] = Counter()
        for lane, start, end in self.record.steps:
            if lane is None:
                continue
            if lane not in of_lane:
                # A request that was answered before the film began only tidies up in it.
                if lane.finished is not None and lane.finished < self.record.began:
                    continue
                times_seen[lane.name] += 1
                name = _numbered(lane.name, times_seen[lane.name])
                of_lane[lane] = timelines.setdefault(name, Timeline(name))
                of_lane[lane].lane = lane
            of_lane[lane].steps.append((start, end))
        return sorted(timelines.values(), key=lambda timeline: timeline.first_seen)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name} {number}"


def _listing(names: Sequence[str]) -> str:
    if len(names) > MOST_NAMES:
        names = [*names[:3], f"{len(names) - 3} others"]
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
