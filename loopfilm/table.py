"""Write: who held the loop, where, and what everybody waited for, as a table of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nlargest
from typing import TypeVar

from .entries import Hold, Wait
from .lettering import clean, columns, shortened

MOST_LINES = 60
WIDEST = 40  # columns of a name
HEADS = ("who", "from", "seconds", "did what", "where")

Line = tuple[str, str, str, str, str]
Entry = TypeVar("Entry", Hold, Wait)


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
        A line for each, in the order in which they began. If there are too many, those that
        held the loop come before the others, and longer ones before shorter ones.
    """
    holds, waits = list(holds), list(waits)
    held = _longest(holds, MOST_LINES)
    waited = _longest(waits, MOST_LINES - len(held))
    found = [(hold.start, _held(hold)) for hold in held]
    found += [(wait.start, _waited(wait)) for wait in waited]
    lines: list[Line] = [HEADS, *(line for _, line in sorted(found))]
    widths = [max(columns(line[number]) for line in lines) for number in range(4)]
    text = []
    for who, start, seconds, what, where in lines:
        who += " " * (widths[0] - columns(who))
        start, seconds = start.rjust(widths[1]), seconds.rjust(widths[2])
        text.append(f"{who}  {start}  {seconds}  {what:{widths[3]}}  {where}".rstrip())
    text += _left_out(len(held), len(holds), "held the loop")
    text += _left_out(len(waited), len(waits), "waited")
    return Table("\n".join([clean(title), "", *text]) if found else clean(title))


def _longest(them: Sequence[Entry], most: int) -> list[Entry]:
    return nlargest(most, them, key=lambda each: each.seconds)


def _left_out(shown: int, of: int, what: str) -> list[str]:
    if shown == of:
        return []
    return [f"and {of - shown:,} more that {what}" + (", none of them longer" if shown else "")]


def _held(hold: Hold) -> Line:
    where = hold.where or "nobody saw where"
    return _line(hold.lane, hold.start, hold.seconds, "held the loop", where + hold.within)


def _waited(wait: Wait) -> Line:
    others = f" (the loop was held for {wait.held:.3f} s of it)" if wait.held > 0.0005 else ""
    return _line(wait.lane, wait.start, wait.seconds, "waited", wait.where + others)


def _line(who: str, start: float, seconds: float, what: str, where: str) -> Line:
    name = shortened(clean(who), WIDEST)
    return name, f"{start:.3f}", f"{seconds:.3f}", what, clean(where)
