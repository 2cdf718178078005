"""Read: who had the event loop, when, and where, from what was recorded."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from itertools import accumulate

from .entries import Answer, Hold, Step, Wait
from .lanes import Kind, Lane
from .lettering import clean, shortened
from .picture import Note, Row, as_image, draw
from .record import Long, Noted, Record
from .table import Table, table
from .timeline import Timeline
from .trace import trace
from .where import Place, usual

MOST_NAMES = 8  # in a sentence; of more lanes it names three, and counts the others
MOST_LETTERS = 200  # of a name
OTHER = "other work"


class Film:
    """Who had the event loop, and when, while the block of `film` lasted.

    In a notebook it shows itself as a picture. As text it says only what the experiment fixes,
    whatever the speed of the machine: `str(f)` is the same in every run.

    Attributes:
        red: a step longer than this holds the loop, in seconds.
        answers: what the visitors got, in the order of the visits, if `watch` made the film.
        is_of_visits: whether `watch` made it; then it is not one of tasks.
        record: what was recorded; `steps` fills it.
    """

    def __init__(self, red: float = 0.25) -> None:
        """Make an empty film; `film` fills it.

        Args:
            red: a step longer than this holds the loop, in seconds.
        """
        self.red = red
        self.answers: list[Answer] = []
        self.is_of_visits = False
        self.record = Record(began=time.perf_counter(), red=red)
        self._asked: dict[str, tuple[str, int]] = {}
        self._visits: dict[tuple[str, int], Timeline] = {}
        self._times_asked: Counter[str] = Counter()
        self._lasted: tuple[tuple[float, ...], list[Noted]] | None = None
        self._read: tuple[tuple[float, ...], list[Timeline]] | None = None

    def asked(self, lane: str) -> str:
        """Note that a visitor sends a request now.

        Args:
            lane: the name of the lane in which the request will be handled.

        Returns:
            What to give to `answered`.
        """
        lane = _called(lane)
        self._times_asked[lane] += 1
        key = (lane, self._times_asked[lane])
        self._visits[key] = Timeline(lane, asked=time.perf_counter())
        name = f"{lane} {key[1]}" if key[1] > 1 else lane
        while name in self._asked:
            name += "'"
        self._asked[name] = key
        return name

    def answered(self, visit: str) -> None:
        """Note that a visitor has its answer now.

        Args:
            visit: what `asked` returned.

        Raises:
            KeyError: `asked` returned no such name.
        """
        self._visits[self._asked[visit]].answered = time.perf_counter()

    # -- in words ------------------------------------------------------------------------------

    @property
    def steps(self) -> list[Step]:
        """Every step of the loop that began and ended while the film was running."""
        names = self._names()
        began = self.record.began
        return [
            Step(names.get(lane) if lane else None, start - began, end - began)
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
        """Who had a step longer than `red`, in the order of these steps: the lanes.

        What a request started, and what goes on after the answer, is "something ada started".
        """
        names = self._names()
        holders = [
            _holder(names, lane, start, long)
            for lane, start, _, _, long in self._holds()
            if lane in names
        ]
        return list(dict.fromkeys(holders))

    @property
    def held_at(self) -> list[Hold]:
        """Every step longer than `red`, in order, and the line at which it stood.

        Steps in nobody's lane are among them: their lane is "other work". A step that lasted
        because the machine gave it no processor is not, where the system tells that.
        """
        names, began = self._names(), self.record.began
        where = cache(_where)
        return [
            Hold(
                _holder(names, lane, start, long),
                start - began,
                seconds,
                *where(long.places, long.shares),
                clock=end - start,
            )
            for lane, start, end, seconds, long in self._holds()
        ]

    @property
    def waits(self) -> list[Wait]:
        """Every pause between two steps of a lane that lasted, and what it waited for."""
        names, began, now = self._names(), self.record.began, self._now()
        where = cache(_where)
        held_until = self._held_until()
        found = []
        for lane, start, end, place in self.record.waits:
            start, end = max(start, began), min(end, now)
            if (name := names.get(lane)) and end > start:
                line, call, *_ = where((place,) if place else (), ())
                held = held_until(end) - held_until(start)
                found.append(Wait(name, start - began, end - start, line, call, held))
        return found

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
            # Of several that held the loop it would read as if they had gone on together.
            how = f"{together} open at once" if len(held) > 1 else f"{together} at once"
        in_turn = together > 1
        return f"{listing(lanes)}: {how}. {_holders(held, len(lanes), in_turn=in_turn)}."

    __repr__ = __str__

    # -- as a picture, a table, a trace --------------------------------------------------------

    def _repr_html_(self) -> str:
        return as_image(self.svg(), str(self))

    @property
    def length(self) -> float:
        """Return how long the film is, in seconds."""
        return self._now() - self.record.began

    def svg(self, *, axis: float = 0) -> str:
        """Return the film as a picture, see `picture.draw`.

        Args:
            axis: how many seconds there is room for, at least.
        """
        now, began = self._now(), self.record.began

        def since(span: tuple[float, float]) -> tuple[float, float]:
            return span[0] - began, span[1] - began

        names, holds = self._names(), self._holds()
        pauses: dict[str, list[tuple[float, float, object]]] = {}
        for wait in self.record.waits:
            if name := names.get(wait.lane):
                start, end = since((max(wait.start, began), min(wait.end, now)))
                pauses.setdefault(name, []).append((start, end, wait.place or ""))
        rows = [
            Row(
                timeline.name,
                [(start - began, end - began) for start, end in timeline.bars()],
                since(timeline.waited(now)),
                pauses.get(timeline.name, ()),
            )
            for timeline in self._timelines()
        ]
        others = {start for lane, start, *_ in holds if names.get(lane) is None}
        if others:
            bars = [since(step[1:]) for step in self.record.steps if step[1] in others]
            rows.append(Row(OTHER, bars))
        left_out = self.record.left_out
        # Of bars that are not red nobody knows more than that they had no processor.
        notes = {start - began: Note(0) for start in self.record.long}
        named = {*names.values(), OTHER}
        notes |= {hold.start: _note(hold, named) for hold in self.held_at}
        return draw(
            rows,
            [beat - began for beat in self.record.beats],
            now - began,
            red=self.red,
            title=self.title(),
            notes=notes,
            remark=f"{left_out:,} short steps at the end are left out." if left_out else "",
            axis=axis,
        )

    def table(self) -> Table:
        """Return who held the loop, where, and what everybody waited for, as a plain table."""
        return table(self.title(), self.held_at, self.waits)

    def trace(self) -> str:
        """Return all steps as the text of a file that Perfetto opens, see `trace`."""
        return trace(self.lanes, self.steps, self.held_at, self.waits)

    def title(self) -> str:
        """Return the film in words, with what depends on the machine and is not in `str`."""
        title = str(self)
        names = self._names()
        if any(names.get(lane) is None for lane, *_ in self._holds()):
            title = title.replace("Nobody held", "Only other work held")
            title = title.replace("Nobody asked", "Other work held the loop. Nobody asked")
        return title

    # -- reading the record --------------------------------------------------------------------

    def _now(self) -> float:
        return time.perf_counter() if self.record.ended is None else self.record.ended

    def _holds(self) -> list[tuple[Lane | None, float, float, float, Long]]:
        """Return the steps that held the loop: lane, beginning, end, seconds, what is known."""
        version = (len(self.record.steps), self.record.began)
        if self._lasted is None or self._lasted[0] != version:
            lasted = [step for step in self.record.steps if step[2] - step[1] > self.red]
            self._lasted = version, lasted
        found = []
        for lane, start, end in self._lasted[1]:
            long = self.record.long.get(start) or Long()
            own = end - start - long.lacked
            # What it waits for goes on while it stands in line: it would have slept longer.
            if own > self.red or long.slept > self.red / 2:
                found.append((lane, start, end, max(own, self.red), long))
        return found

    def _held_until(self) -> Callable[[float], float]:
        """Return a function that says for how many seconds the loop was held until a moment."""
        holds = sorted((start, end) for _, start, end, _, _ in self._holds())
        starts = [start for start, _ in holds]
        sums = [0.0, *accumulate(end - start for start, end in holds)]

        def held_until(at: float) -> float:
            number = bisect_right(starts, at)
            return sums[number] - (max(holds[number - 1][1] - at, 0.0) if number else 0.0)

        return held_until

    def _names(self) -> dict[Lane | None, str]:
        return {each.lane: each.name for each in self._timelines() if each.lane}

    def _timelines(self) -> list[Timeline]:
        """Return what was seen of each lane, in the order in which they were first seen."""
        answered = sum(each.answered is not None for each in self._visits.values())
        version = (len(self.record.steps), self.record.began, len(self._visits), answered)
        if self._read is None or self._read[0] != version:
            self._read = version, self._made_timelines()
        return self._read[1]

    def _made_timelines(self) -> list[Timeline]:
        spans: dict[Lane, list[tuple[float, float]]] = {}
        for lane, start, end in self.record.steps:
            if lane is not None:
                try:
                    spans[lane].append((start, end))
                except KeyError:
                    spans[lane] = [(start, end)]
        spans = {lane: steps for lane, steps in spans.items() if self._is_shown(lane, steps)}
        # A film of requests is not one of all the tasks that served them, nor one of tasks that
        # somebody has named one of the others, unless these held the loop.
        kinds = {lane.kind for lane in spans}
        if self.is_of_visits or kinds & {Kind.REQUEST, Kind.GIVEN}:
            spans = {lane: s for lane, s in spans.items() if lane.kind is not Kind.TASK}
        elif Kind.NAMED_TASK in kinds:
            spans = {
                lane: steps
                for lane, steps in spans.items()
                if lane.kind is not Kind.TASK or self._any_long(steps)
            }
        timelines = {
            key: Timeline(visit.name, visit.asked, visit.answered)
            for key, visit in self._visits.items()
        }
        times_seen: Counter[str] = Counter()
        for lane, steps in spans.items():
            name = _called(lane.name)
            times_seen[name] += 1
            key = (name, times_seen[name])
            timeline = timelines.setdefault(key, Timeline(name))
            timeline.lane, timeline.steps = lane, sorted(steps)
        for timeline, name in zip(timelines.values(), _told_apart(timelines), strict=True):
            timeline.name = name
        return sorted(timelines.values(), key=lambda timeline: timeline.first_seen)

    def _is_shown(self, lane: Lane, steps: list[tuple[float, float]]) -> bool:
        """Return whether a lane is more than the end of one of before the film."""
        # A request that was answered before the film began only tidies up in it.
        is_over = lane.finished is not None and lane.finished < self.record.began
        return not is_over or self._any_long(steps)

    def _any_long(self, steps: Iterable[tuple[float, float]]) -> bool:
        return any(end - start > self.red for start, end in steps)


def _called(name: str) -> str:
    """Return a name as words have it: a client may choose any, of any length."""
    if len(name) <= MOST_LETTERS and name.isprintable():
        return name
    return clean(shortened(name, MOST_LETTERS, len))


def _told_apart(keys: Iterable[tuple[str, int]]) -> list[str]:
    """Return a name for each: the second "ada" is "ada 2", unless somebody is called that."""
    keys = list(keys)
    taken = {name for name, number in keys if number == 1}
    names = []
    for name, number in keys:
        if number > 1:
            while f"{name} {number}" in taken:
                number += 1
            taken.add(name := f"{name} {number}")
        names.append(name)
    return names


def _holder(names: dict[Lane | None, str], lane: Lane | None, start: float, long: Long) -> str:
    name = names.get(lane)
    if name is None:
        return OTHER
    is_over = lane is not None and lane.finished is not None and start > lane.finished
    return f"something {name} started" if is_over and not long.is_handler else name


def _note(hold: Hold, lanes: Collection[str]) -> Note:
    # Its row says whose it is, if it is nobody else's.
    words = [hold.where] if hold.lane in lanes else [hold.lane, hold.where]
    return Note(hold.seconds, ": ".join(filter(None, words)), str(hold))


def _where(places: tuple[Place, ...], shares: tuple[float, ...]) -> tuple[str, str, str, str]:
    """Return the line, the call, what was deeper, and who called, of where a step stood."""
    if not places:
        return "", "", "", ""
    place = usual(places, shares)
    return place.line, place.call, place.deeper, place.began


def _holders(held: Sequence[str], of: int, *, in_turn: bool) -> str:
    """Return who held the loop, without the full stop."""
    who = listing(held) if held else "nobody"
    if len(held) == of > MOST_NAMES:
        who = "each of them"
    elif len(held) > 1 and not in_turn:
        who += " each"
    if not held or who.startswith(("each of them", "something ")):
        who = who[0].upper() + who[1:]
    return f"{who} held the loop" + (" in turn" if len(held) > 1 and in_turn else "")


def listing(names: Sequence[str]) -> str:
    """Return names in words; of many only the first three, and how many others there are."""
    if len(names) > MOST_NAMES:
        names = [*names[:3], f"{len(names) - 3} others"]
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
