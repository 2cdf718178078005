"""Add up: how often one line held the loop, or waited, and for how long in all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .entries import Hold, Wait
from .films import listing


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

    @property
    def held(self) -> str:
        """How it held the loop, in words."""
        seconds = f"for {in_seconds(self.seconds)}"
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


def _total(where: str, deeper: str, group: Sequence[Hold | Wait]) -> Total:
    seconds = [entry.seconds for entry in group]
    lanes = list(dict.fromkeys(entry.lane for entry in group))
    return Total(lanes, where, deeper, len(group), sum(seconds), max(seconds))


def in_seconds(seconds: float) -> str:
    """Return a time in words, such as "1.2 s" or "0.034 s"."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2g} s"


def times(number: int) -> str:
    """Return how often something was, in words."""
    return "twice" if number == 2 else f"{number} times"
