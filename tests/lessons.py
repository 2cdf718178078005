"""The sections and exercises of the notebooks, and the words by which papers mean them."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from nbformat import NotebookNode

from tests.paths import ROOT
from tools import refresh

BOOKS = {path.name[:2]: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
# Of a notebook whose sections stand alone, a room takes so many.
PICKED = 3


class Item(NamedTuple):
    """A section, or an exercise.

    Attributes:
        book: the number of its notebook, as in "01".
        name: the number of a section, nothing for one without, or the name of an exercise.
        minutes: how long it takes.
        path: "core", "more" or "pick".
        cells: all of its cells.
    """

    book: str
    name: str
    minutes: int
    path: str
    cells: list[NotebookNode]

    def __str__(self) -> str:
        return f"{self.book}, {self.name}" if self.name.isdigit() else f"`{self.name}`"

    def code(self) -> list[str]:
        """The code that a kernel runs; an answer to an exercise is kept, and not run."""
        sources = [cell.source for cell in self.cells if cell.cell_type == "code"]
        return [source for source in sources if not source.startswith("%%")]


@functools.cache
def items(book: str) -> list[Item]:
    """All sections and exercises of a notebook, in their order."""
    found: list[Item] = []
    for cell in refresh.read(BOOKS[book]).cells:
        if "minutes" in cell.metadata:
            number = re.match(r"## (\d+)\. ", cell.source)
            name = cell.metadata.get("exercise", number[1] if number else "")
            found.append(Item(book, name, cell.metadata.minutes, cell.metadata.path, []))
        elif cell.cell_type == "markdown" and cell.source.startswith("## "):
            # The end of a notebook is no part of its last exercise.
            break
        if found:
            found[-1].cells.append(cell)
    return found


def core(book: str) -> list[Item]:
    """What everybody does, or may pick."""
    return [item for item in items(book) if item.path != "more"]


def meant(words: str) -> list[Item]:
    """What is meant by words such as "01: sections 1 to 3, `carry_error`; 02: section 9"."""
    found = []
    for book, listed in re.findall(r"(0\d)(?: or 0\d)?: ([^;|]+)", words):
        if "all of its core" in listed:
            found += core(book)
        elif "three sections" in listed:
            found += sorted(core(book), key=lambda item: item.minutes)[-PICKED:]
        else:
            names = set(re.findall(r"`(\w+)`", listed))
            runs = re.findall(r"(\d+)(?: to (\d+))?", re.sub(r"`\w+`", "", listed))
            ends = {int(each) for run in runs for each in run if each}
            assert ends <= {int(i.name) for i in core(book) if i.name.isdigit()}, listed
            assert names <= {item.name for item in core(book)}, listed
            found += [
                item
                for item in core(book)
                if item.name in names
                or (
                    item.name.isdigit()
                    and any(int(a) <= int(item.name) <= int(b or a) for a, b in runs)
                )
            ]
    return found


def part(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its level."""
    level = heading.partition(" ")[0]
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^{level} |\Z)", text, re.DOTALL | re.M)
    assert found, heading
    return found[1]
