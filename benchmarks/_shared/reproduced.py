"""Whether a run gives the ratios of the run before, as far as the two of them can tell.

A ratio is reproduced when each of the two medians lies between the lowest and the highest ratio
of the other run. To look at one spread alone would not do: a run of few rounds, or of rounds
that happen to agree, has a narrow one, and a run on a restless machine has one that would let
anything pass.

Chance alone fails many of them: of two runs of three rounds between which nothing has changed,
two in five ratios are reproduced; of five rounds seven in ten, of seven nearly nine in ten. So
how many are is to be read beside the number of rounds, and says nothing of a single ratio.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from classroom.measured import NotMeasured, Result


@dataclass(frozen=True)
class Pair:
    """A ratio in two runs.

    Attributes:
        what: what was measured apart, and the thing.
        figure: what was measured of it.
        before: the median of the run before, and its lowest and highest ratio.
        now: the same of this run.
    """

    what: str
    figure: str
    before: tuple[float, float, float]
    now: tuple[float, float, float]

    @property
    def is_reproduced(self) -> bool:
        """Return whether each median lies within the spread of the other run."""
        return all(
            lowest <= median <= highest
            for (median, *_), (_, lowest, highest) in (
                (self.before, self.now),
                (self.now, self.before),
            )
        )

    def __str__(self) -> str:
        words = "within" if self.is_reproduced else "NOT within"
        (was, low, high), (now, lowest, highest) = self.before, self.now
        return (
            f"{self.what}, {self.figure}: {was:.2f} ({low:.2f} to {high:.2f}),"
            f" now {now:.2f} ({lowest:.2f} to {highest:.2f}): {words} the spread that was kept"
        )


def compare(before: dict[str, Any], now: dict[str, Any]) -> list[Pair]:
    """Return each ratio that is in both results; that of a baseline to itself says nothing.

    Args:
        before: the content of the file that is to be overwritten.
        now: what it is to be.
    """
    return [*_pairs(Result(before), Result(now))]


def without_figures(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return a sentence for each thing that had figures, and has none any more.

    Args:
        before: the content of the file that is to be overwritten.
        now: what it is to be. What it does not name at all was not asked for.
    """
    then, today = Result(before), Result(now)
    said = []
    for group in today.groups:
        for mode in today.modes(group):
            try:
                why = "" if then.why_not(group, mode) else today.why_not(group, mode)
            except NotMeasured:
                continue
            if why:
                what = ", ".join(filter(None, [group, mode]))
                said.append(f"{what}: it had figures in the run before, and is {why}")
    return said


def summary(pairs: list[Pair]) -> str:
    """Return in a sentence how many ratios are reproduced, or nothing where there are none."""
    if not pairs:
        return ""
    said = f"{_count(pairs)} ratios lie within the spread of the run before"
    cpu = [pair for pair in pairs if pair.figure.startswith("cpu")]
    if cpu and len(cpu) < len(pairs):
        said += f"; of those of processor time {_count(cpu)}"
    return said


def _count(pairs: list[Pair]) -> str:
    return f"{sum(pair.is_reproduced for pair in pairs)} of {len(pairs)}"


def _pairs(before: Result, now: Result) -> Iterator[Pair]:
    for group in now.groups:
        for mode in now.modes(group):
            if mode == now.baseline(group):
                continue
            for figure in now.figures(group):
                place = group, mode, figure
                try:
                    was = before.ratio(*place), *before.within(*place)
                    found = now.ratio(*place), *now.within(*place)
                except NotMeasured:
                    continue
                yield Pair(", ".join(filter(None, [group, mode])), figure, was, found)
