"""Write: who held the loop, where, and what everybody waited for, as a table of plain text."""

from __future__ import annotations

from collections.abc import Iterable

from .entries import Hold, Wait

MOST_LINES = 60
HEADS = ("who", "from", "seconds", "did what", "where")


class Table(str):
    """A text that shows itself as it is printed, also at the end of a cell."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the text."""
        return str(self)


def table(title: str, holds: Iterable[Hold], waits: Iterable[Wait]) -> Table:
    """Return a table of the steps that held the loop and the pauses that lasted.

    Args:
        title: the film in words.
        holds: the steps that held the loop.
        waits: the pauses that lasted.

    Returns:
        A line for each, in the order in which they began.
    """
    rows = [
        (hold.start, hold.lane, hold.seconds, "held the loop", _with(hold.where, hold.deeper))
        for hold in holds
    ]
    rows += [(wait.start, wait.lane, wait.seconds, "waited", wait.where) for wait in waits]
    rows.sort(key=lambda row: (row[0], row[1]))
    # Who held the loop is what somebody looks for: pauses are left out first.
    shown = sorted(rows, key=lambda row: row[3] == "waited")[:MOST_LINES]
    lines = [HEADS]
    for start, who, seconds, what, where in sorted(shown, key=lambda row: (row[0], row[1])):
        lines.append((who, f"{start:.2f}", f"{seconds:.2f}", what, where))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    text = [
        f"{who:{widths[0]}}  {start:>{widths[1]}}  {seconds:>{widths[2]}}  "
        f"{what:{widths[3]}}  {where}".rstrip()
        for who, start, seconds, what, where in lines
    ]
    if len(rows) > len(shown):
        text.append(f"and {len(rows) - len(shown)} lines more")
    return Table("\n".join([title, "", *text]) if rows else title)


def _with(where: str, deeper: str) -> str:
    return f"{where} ({deeper})" if deeper else where
