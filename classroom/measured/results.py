"""Any result of the common runner: its figures by name, as tables, and as bars."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .bars import Bar, Picture, draw
from .figures import heading, number, ratio, unit
from .kept import read
from .shapes import rows_of
from .tables import Table

Row = dict[str, Any]
NONE = "-"
SPREAD = "The line on a bar is the spread of its ratio."
# What a p99 of one is to that of the other; see `classroom.measuring.load`.
CORRECTED = (
    "To the longest waits wrk adds those that its visitors have left out meanwhile; a client in"
    " Python does not."
)


class NotMeasured(LookupError):
    """There is no such figure, or there is a reason why it is not there."""


class Result:
    """What a benchmark has measured, in rounds, of several things.

    Args:
        data: the content of its file: `about`, and `results`, whose rows are those of
            `classroom.measuring.rounds`, or have one of the shapes of before.

    Attributes:
        about: with what it was measured.
        rows: what was measured.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.about: dict[str, Any] = data["about"]
        self.rows: list[Row] = rows_of(data)
        self.left_out: dict[str, str] = {
            **data.get("left_out", {}),
            **self.about.get("left_out", {}),
        }

    # -- single figures ------------------------------------------------------------------------

    @property
    def groups(self) -> list[str]:
        """Return what was measured apart, in order."""
        return list(dict.fromkeys(row.get("group", "") for row in self.rows))

    def modes(self, group: str = "") -> list[str]:
        """Return the things that were compared, also those which are refused or left out."""
        there = [row["mode"] for row in self._rows(group)]
        return list(dict.fromkeys([*there, *self.left_out]))

    def figures(self, group: str = "") -> list[str]:
        """Return what was measured of each thing, by the names that the result uses."""
        return list(
            dict.fromkeys(
                name
                for row in self._rows(group)
                for name, value in row.items()
                if isinstance(value, dict) and "median" in value
            )
        )

    def baseline(self, group: str = "") -> str:
        """Return the thing that the others of a group are compared with."""
        given = self.about.get("baseline") or self.about.get("beside", "")
        return str(given.get(group, "") if isinstance(given, dict) else given)

    def median(self, group: str, mode: str, figure: str) -> float:
        """Return the median of a figure, in the unit that its name ends with.

        Raises:
            NotMeasured: it is not there; the message says why if that is known.
        """
        return float(self._figure(group, mode, figure)["median"])

    def ratio(self, group: str, mode: str, figure: str) -> float:
        """Return the median of its ratios to the baseline, each of one round.

        Raises:
            NotMeasured: it is not there; the message says why if that is known.
        """
        found = self._figure(group, mode, figure)
        if "ratio" not in found:
            raise NotMeasured(f"{figure} of {mode} is compared with nothing")
        return float(found["ratio"])

    def within(self, group: str, mode: str, figure: str) -> tuple[float, float]:
        """Return the lowest and the highest of these ratios.

        Raises:
            NotMeasured: it is not there; the message says why if that is known.
        """
        self.ratio(group, mode, figure)
        found = self._figure(group, mode, figure)
        return float(found["lowest"]), float(found["highest"])

    def why_not(self, group: str, mode: str) -> str:
        """Return why there are no figures of a thing; nothing if there are.

        Raises:
            NotMeasured: nothing is known of it.
        """
        for row in self._rows(group):
            if row["mode"] == mode:
                if "refused" in row:
                    return f"refused: {row['refused']}"
                return f"left out: {row['left_out']}" if "left_out" in row else ""
        if mode in self.left_out:
            return f"left out: {self.left_out[mode]}"
        raise NotMeasured(f"{mode} was not measured" + (f" for {group}" if group else ""))

    def _figure(self, group: str, mode: str, figure: str) -> Row:
        if why := self.why_not(group, mode):
            raise NotMeasured(f"{mode} is {why}")
        (row,) = [row for row in self._rows(group) if row["mode"] == mode]
        if not isinstance(row.get(figure), dict):
            raise NotMeasured(f"{figure} of {mode} was not measured")
        return dict(row[figure])

    def _rows(self, group: str) -> list[Row]:
        rows = [row for row in self.rows if row.get("group", "") == group]
        if not rows:
            raise NotMeasured(f"nothing was measured as {group!r}: there is {self.groups}")
        return rows

    # -- as a table, and as bars ---------------------------------------------------------------

    def table(
        self, group: str = "", figures: Sequence[str] = (), modes: Sequence[str] = ()
    ) -> Table:
        """Return a table: of each figure the median, the ratio, and within what all ratios lie.

        Args:
            group: what was measured apart.
            figures: which, and in which order; all if left out.
            modes: which things, and in which order; all if left out. One without figures has
                its row, and the note says why.

        Raises:
            NotMeasured: nothing is known of one of them.
        """
        shown = [*(figures or self.figures(group))]
        compared = [figure for figure in shown if self._is_compared(group, figure)]
        columns, baseline = [""], self.baseline(group)
        for figure in shown:
            columns.append(heading(figure))
            if figure in compared:
                # What is compared needs to be said where several are.
                what = f"{heading(figure)} " if len(compared) > 1 else ""
                columns += [f"{what}× {baseline}", f"{what}all within"]
        rows, reasons = [], []
        for mode in modes or self.modes(group):
            if why := self.why_not(group, mode):
                reasons.append(f"{mode} is {why.rstrip('.')}.")
                rows.append([mode, *[NONE] * (len(columns) - 1)])
                continue
            cells = [mode]
            for figure in shown:
                cells += self._cells(group, mode, figure, compare=figure in compared)
            rows.append(cells)
        return Table(columns, rows, " ".join([self.conditions(group, *shown), *reasons]))

    def _is_compared(self, group: str, figure: str) -> bool:
        return any("ratio" in row.get(figure, ()) for row in self._rows(group))

    def _cells(self, group: str, mode: str, figure: str, *, compare: bool) -> list[str]:
        try:
            cells = [number(self.median(group, mode, figure))]
        except NotMeasured:
            return [NONE] * (3 if compare else 1)
        if compare:
            try:
                low, high = self.within(group, mode, figure)
                cells.append(ratio(self.ratio(group, mode, figure)))
                is_itself = mode == self.baseline(group)
                cells.append(NONE if is_itself else f"{ratio(low)} to {ratio(high)}")
            except NotMeasured:
                cells += [NONE, NONE]
        return cells

    def conditions(self, group: str, *figures: str) -> str:
        """Return a sentence on how figures came about.

        Args:
            group: of which group they are.
            *figures: which. Waits are not the same thing to each who asks, which is said then.
        """
        rounds = self.about.get("rounds_of", {}).get(group, self.about.get("rounds"))
        parts = []
        if rounds:
            parts.append("One round" if rounds == 1 else f"Medians of {rounds} rounds")
        parts.append(f"{self.about['machine']}, Python {self.about['python']}")
        if load := self.about.get("load"):
            parts.append(f"asked by {load}")
        told = ", ".join(parts) + "."
        waits = any(re.fullmatch(r"p\d+_ms", figure) for figure in figures)
        return f"{told} {CORRECTED}" if waits and str(load).startswith("wrk") else told

    def plot(
        self, group: str = "", figure: str = "", modes: Sequence[str] = (), title: str = ""
    ) -> Picture:
        """Return bars, one for each thing, with the spread of its ratio as a line.

        Args:
            group: what was measured apart.
            figure: what is drawn; the first that there is if left out.
            modes: which things, and in which order; all if left out. One without figures has
                its row, with the reason.
            title: what the picture shows; the names of group and figure if left out.

        Raises:
            NotMeasured: nothing is known of one of them.
        """
        figure = figure or self.figures(group)[0]
        title = title or f"{heading(figure)}: {group}".removesuffix(": ")
        bars, told, baseline = [], [], self.baseline(group)
        for mode in modes or self.modes(group):
            if why := self.why_not(group, mode):
                bars.append(Bar(mode, words=why))
                told.append(f"{mode} is {why.rstrip('.')}")
                continue
            median = self.median(group, mode, figure)
            words = f"{number(median)} {unit(figure)}".strip()
            spread, more = None, ""
            if mode == baseline:
                words += ", baseline"
            elif self._has_ratio(group, mode, figure):
                times, (low, high) = (
                    self.ratio(group, mode, figure),
                    self.within(group, mode, figure),
                )
                words += f", {ratio(times)} ×"
                more = f" ({ratio(low)} to {ratio(high)})"
                if times and low < high:
                    spread = (median * low / times, median * high / times)
            bars.append(Bar(mode, median, spread, words))
            told.append(f"{mode} {words}{more}")
        remark = SPREAD if any(bar.spread for bar in bars) else ""
        remark = f"{self.conditions(group, figure)} {remark}".strip()
        svg = draw(title, bars, baseline=baseline, remark=remark)
        return Picture(svg, f"{title}. {'; '.join(told)}.")

    def _has_ratio(self, group: str, mode: str, figure: str) -> bool:
        return "ratio" in self._figure(group, mode, figure)


def result(name: str) -> Result:
    """Return what a benchmark has measured, by its name.

    Raises:
        LookupError: there is no result of this name.
    """
    return Result(read(name))
