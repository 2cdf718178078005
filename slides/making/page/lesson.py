"""What a page needs to know of a notebook: its title, its sections and their minutes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nbformat.v4 import new_markdown_cell, new_notebook

from slides.making.notebook import CannotBuild, read

if TYPE_CHECKING:
    from nbformat import NotebookNode

HEADING = re.compile(r"^(#{1,6}) +(.+?)[ #]*$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LIST = re.compile(r"(?:^[-*] .*(?:\n(?! *$|[-*] ).+)*\n?)+", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """A heading, and what stands in its cell's metadata."""

    id: str
    title: str  # Markdown
    level: int
    minutes: float
    path: str  # core, more, or nothing
    exercise: bool

    @property
    def plain_title(self) -> str:
        """The title without its marks."""
        return plain(self.title)

    @property
    def number(self) -> str:
        """The number that the title begins with, if it has one."""
        found = re.match(r"\d+(?=\. )", self.title)
        return found[0] if found else ""


@dataclass(frozen=True)
class Lesson:
    """A notebook, or a paper that is treated like one."""

    notebook: NotebookNode
    source: Path
    title: str
    sections: tuple[Section, ...]
    aims: str  # what you can do after it, a list in Markdown

    @property
    def plain_title(self) -> str:
        """The title without its marks."""
        return plain(self.title)

    @property
    def exercises(self) -> int:
        """How many there are."""
        return sum(section.exercise for section in self.sections)

    def minutes(self, path: str) -> float:
        """Return how long everything takes that is marked `core`, or `more`."""
        return sum(section.minutes for section in self.sections if section.path == path)

    def folded(self) -> set[str]:
        """Return the cells whose outputs answer what is to be guessed first."""
        folded, guessing = set(), False
        for cell in self.notebook.cells:
            if cell.cell_type == "code":
                if guessing and cell.outputs:
                    folded.add(cell.id)
                asks, answers = "predict(" in cell.source, ".compare(" in cell.source
                guessing = asks or (guessing and not answers)
        return folded


def read_notebook(source: Path) -> Lesson:
    """Read a notebook with its outputs.

    Args:
        source: where it is.

    Raises:
        CannotBuild: it is no notebook, has no title, or was never run.
    """
    return _lesson(read(source), source)


def read_paper(source: Path) -> Lesson:
    """Read a file in Markdown, and make each of its sections a cell.

    Args:
        source: where it is.

    Raises:
        CannotBuild: it has no title.
    """
    text = source.read_text(encoding="utf-8")
    hidden = FENCED.sub(lambda code: "`" * len(code[0]), text)
    begins = [found.start() for found in HEADING.finditer(hidden) if len(found[1]) <= 2]
    parts = [text[begin:end] for begin, end in zip(begins, [*begins[1:], None], strict=True)]
    cells = [new_markdown_cell(part, id=slug(HEADING.findall(part)[0][1])) for part in parts]
    return _lesson(new_notebook(cells=cells), source)


def _lesson(notebook: NotebookNode, source: Path) -> Lesson:
    first = HEADING.match(notebook.cells[0].source) if notebook.cells else None
    if first is None or len(first[1]) > 1:
        raise CannotBuild(f"{source.name} has no title: it must begin with a line '# ...'.")
    aims = LIST.search(notebook.cells[0].source)
    return Lesson(
        notebook,
        source,
        first[2],
        tuple(section for cell in notebook.cells[1:] for section in _sections(cell)),
        aims[0] if aims else "",
    )


def _sections(cell: NotebookNode) -> list[Section]:
    if cell.cell_type != "markdown":
        return []
    sections: list[Section] = []
    for marks, title in HEADING.findall(FENCED.sub("", cell.source)):
        # Metadata are those of the heading that the cell begins with.
        first = {} if sections else cell.metadata
        sections.append(
            Section(
                slug(title) if sections else cell.id,
                title,
                len(marks),
                first.get("minutes", 0),
                first.get("path", ""),
                "exercise" in first,
            )
        )
    return sections


def plain(markdown: str) -> str:
    """Return a title without its marks."""
    return re.sub(r"[`*]", "", markdown)


def slug(title: str) -> str:
    """Return what a heading is called in an address, where it has no cell of its own."""
    return re.sub(r"[^\w]+", "-", title.lower()).strip("-") or "section"
