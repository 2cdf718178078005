"""Fit words into a picture or a table: how much room they take, and which have none.

A client chooses the name of its lane, and may choose any letters.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

# Of the widest font that systems have for their own words, in parts of its size.
NARROW, USUAL, CAPITAL, WIDE, BOLD = 0.4, 0.64, 0.78, 1.05, 1.12
NARROW_LETTERS = frozenset("Iijlrtf .,:;'|!()[]/-")
WIDE_LETTERS = frozenset("mwMW@%&")


def clean(words: str) -> str:
    """Replace what no text may hold that is one line, and what an XML file may not hold."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in words
    )


def columns(words: str) -> int:
    """Return how many columns words take in letters that are all of one width."""
    return sum(_columns(letter) for letter in words)


def _columns(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def pixels(words: str, size: float = 12, *, bold: bool = False) -> float:
    """Return how many pixels words take at most, in a picture.

    Args:
        words: the words.
        size: the size of the font.
        bold: whether they are bold.
    """
    # `sum` of fractions is not the same number in each Python, and one more pixel may be.
    return math.fsum(map(_part_of_size, words)) * size * (BOLD if bold else 1)


def _part_of_size(letter: str) -> float:
    if letter in NARROW_LETTERS:
        return NARROW
    if letter in WIDE_LETTERS:
        return WIDE
    if letter.isascii():
        return CAPITAL if letter.isupper() else USUAL
    return (0, CAPITAL, WIDE)[_columns(letter)]


def shortened(words: str, most: float, room: Callable[[str], float] = columns) -> str:
    """Return words, or as much of their beginning as there is room for.

    Args:
        words: the words.
        most: how much room there is.
        room: says how much words take.
    """
    if room(words) <= most:
        return words
    # No letter is narrower than a mark above another, which takes nothing: so look at each.
    taken = room(ELLIPSIS)
    for number, letter in enumerate(words):
        taken += room(letter)
        if taken > most:
            return words[:number] + ELLIPSIS
    return words


def wrapped(words: str, most: float, lines: int, room: Callable[[str], float]) -> list[str]:
    """Return words in lines, and the last one shortened if that is not enough.

    Args:
        words: the words.
        most: how much room there is in a line.
        lines: how many there may be.
        room: says how much words take.
    """
    done: list[str] = []
    line = ""
    rest = words.split()
    while rest and len(done) < lines - 1:
        longer = f"{line} {rest[0]}".lstrip()
        if line and room(longer) > most:
            done.append(line)
            line = ""
        elif room(longer) > most:
            # A word without a space in it: cut it where the line ends.
            head = shortened(longer, most, room).removesuffix(ELLIPSIS)
            done.append(head)
            rest[0] = longer[len(head) :]
        else:
            line = longer
            del rest[0]
    last = shortened(" ".join([line, *rest]).strip(), most, room)
    return [*done, last] if last or not done else done
