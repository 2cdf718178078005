"""Add up: how often one line held the loop, or waited, and for how long in all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .entries import Hold, Wait
from .films import Film, listing


class Total(NamedTuple):
    """All that one line did; or all that one lane did, if nobody saw the line.

    Attributes:
        lanes: whose steps these were, in order, each once.
        where: the line, and what stands there; empty if nobody saw it.
        deeper: where in a library it was, if it was in one.
        times: how often.
        seconds: how long in all.
        longest: how long at most, in seconds.
    """

    lanes: list[str]
    where: str
    deeper: str
    times: int
    seconds: float
    longest: float

    @property
    def who(self) -> str:
        """The lanes, in words."""
        return listing(self.lanes)

    @property
    def place(self) -> str:
        """The line, and in brackets where that went, in words."""
        within = f" ({self.deeper})" if self.deeper else ""
        return (self.where or "nobody saw where") + within

    def held(self, red: float) -> str:
        """Return how it held the loop, in words.

        Args:
            red: a step longer than this holds the loop, in seconds.
        """
        seconds = f"for {in_seconds(self.seconds, red)}"
        if self.times > 1:
            seconds = f"{times(self.times)}, {seconds} in all"
        return f"{self.who} held the loop {seconds}: {self.place}"


def totals(entries: Iterable[Hold | Wait]) -> list[Total]:
    """Return what each line did, the longest in all first.

    Args:
        entries: `held_at` of a film, or its `waits`.
    """
    found: dict[tuple[str, ...], list[Hold | Wait]] = {}
    for entry in entries:
        deeper = entry.deeper if isinstance(entry, Hold) else ""
        key = (entry.where, deeper) if entry.where else ("", "", entry.lane)
        found.setdefault(key, []).append(entry)
    sums = [_total(where, deeper, group) for (where, deeper, *_), group in found.items()]
    return sorted(sums, key=lambda total: -total.seconds)


def busy(film: Film) -> tuple[float, float]:
    """Return for how long the loop had something to do, and how long the film is, in seconds.

    Args:
        film: the film, which has ended.
    """
    record = film.record
    length = (record.began if record.ended is None else record.ended) - record.began
    total = until = 0.0
    # A step may have others within it.
    for _, start, end in sorted(film.steps, key=lambda step: step.start):
        total += max(end - max(start, until), 0.0)
        until = max(until, end)
    return total, length


def many_short(film: Film, strict: str) -> str:
    """Return that steps of which none held the loop kept it busy, in a sentence.

    Args:
        film: the film, which has ended.
        strict: what is written before a shorter limit to be stricter, such as "--red ".

    Returns:
        The sentence; empty if somebody held the loop, or it was free for half of the film.
    """
    longest = max((step.end - step.start for step in film.steps), default=0.0)
    time, length = busy(film)
    # A step that is longer and held nobody had no processor: then nobody knows who was busy.
    if film.held_at or longest > film.red or time <= max(length / 2, film.red):
        return ""
    return (
        f"No step was longer than {film.red:g} s, but the loop was busy for"
        f" {in_seconds(time).removesuffix(' s')} of {in_seconds(length)}; the longest step took"
        f" {in_seconds(longest)}. {strict}{longest / 2:.1g} shows them."
    )


def _total(where: str, deeper: str, group: Sequence[Hold | Wait]) -> Total:
    seconds = [entry.seconds for entry in group]
    lanes = list(dict.fromkeys(entry.lane for entry in group))
    return Total(lanes, where, deeper, len(group), sum(seconds), max(seconds))


def in_seconds(seconds: float, red: float = 0.0) -> str:
    """Return a time in words, such as "1.2 s" or "0.034 s".

    Args:
        seconds: the time.
        red: what it is measured by; a time that is longer than this does not read as if it
            were not, but as "0.252 s".
    """
    words = f"{seconds:.1f}" if seconds >= 1 else f"{seconds:.2g}"
    digits = 2
    while float(words) <= red < seconds and digits < 6:
        digits += 1
        words = f"{seconds:.{digits}f}"
    return f"{words} s"


def times(number: int) -> str:
    """Return how often something was, in words."""
    return "twice" if number == 2 else f"{number} times"
