"""The common runner: things are measured in turn, round by round, and compared within a round.

A slow moment of the machine is then a slow moment for all of them. What is kept of each figure
is the median of all rounds, and the median of its ratios to that of a baseline in the same
round.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from .ratios import Ratios

Row = dict[str, Any]
Figures = dict[str, float]
"""What one visit gave: of each figure, by its name, the number; seconds are `_s`, and so on."""

Measure = Callable[[], Figures]


class Refused(Exception):
    """A measurement says nothing of the thing that was to be measured.

    What asked it was the bottleneck, or what it asks; or it gave another answer than it should.
    The message says which, in a sentence that has the name of the thing before it.
    """


class Rounds:
    """What was measured of several things, in rounds.

    Attributes:
        figures: those of each round, by the name of the thing.
        refused: why there are none of a thing, by its name.
    """

    def __init__(self) -> None:
        self.figures: dict[str, list[Figures]] = {}
        self.refused: dict[str, str] = {}

    def rows(self, baseline: str, **more: object) -> list[Row]:
        """Return a row for each thing, in the order in which they were given.

        Args:
            baseline: the thing that all others are compared with.
            **more: what else each row says, before its figures.

        Returns:
            Rows with the `mode`, and for each figure a row of its own with `median`, and, where
            the baseline has that figure too, `ratio`, `lowest` and `highest`; or with
            `refused`.
        """
        rows: list[Row] = []
        for name, mine in self.figures.items():
            row: Row = {**more, "mode": name}
            if name in self.refused:
                rows.append({**row, "refused": self.refused[name]})
                continue
            theirs = [] if baseline in self.refused else self.figures.get(baseline, [])
            for figure in mine[0]:
                values = [one[figure] for one in mine]
                row[figure] = {"median": _rounded(statistics.median(values))}
                beside = [one[figure] for one in theirs if figure in one]
                if len(beside) == len(values) and all(beside):
                    ratios = Ratios.of(values, beside)
                    row[figure] |= {
                        "ratio": ratios.median,
                        "lowest": ratios.lowest,
                        "highest": ratios.highest,
                    }
            rows.append(row)
        return rows


def say(words: str) -> None:
    """Tell those who wait how far it is, as programs do."""
    print(words, file=sys.stderr, flush=True)


def in_rounds(
    things: Mapping[str, Measure],
    rounds: int,
    *,
    name: str = "",
    warm_up: bool = True,
    say: Callable[[str], object] = say,
) -> Rounds:
    """Measure all things, in turn, in another order each round, and say how far it is.

    Args:
        things: what measures each of them, by its name. What it raises as `Refused` leaves the
            thing out of all further rounds.
        rounds: how often, from one on.
        name: what is measured, for those who wait.
        warm_up: whether each is measured once before, which does not count.
        say: takes a line after each round, and one for what is refused.

    Returns:
        The figures of all rounds. What a thing raises otherwise ends all of it.
    """
    seen = Rounds()
    seen.figures = {each: [] for each in things}
    start, turns = time.monotonic(), rounds + warm_up
    for turn in range(turns):
        left = [each for each in things if each not in seen.refused]
        first = turn % len(left) if left else 0
        for each in left[first:] + left[:first]:
            try:
                figures = things[each]()
            except Refused as reason:
                seen.refused[each] = str(reason)
                say(f"{each} is refused: {reason}")
                continue
            if turn or not warm_up:
                seen.figures[each].append(figures)
        done = time.monotonic() - start
        seconds = done / (turn + 1) * (turns - turn - 1)
        what = f"round {turn + 1 - warm_up} of {rounds}" if turn or not warm_up else "warm"
        say(f"{name + ': ' if name else ''}{what}; {seconds:.0f} seconds left")
    return seen


def _rounded(value: float) -> float:
    """Return four digits of it that count."""
    return float(f"{value:.4g}")
