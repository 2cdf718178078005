"""What a page has of a notebook or a paper: its title, its sections and their minutes."""

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
MINUTES = re.compile(r" \(\d+ min\)$")
LIST = re.compile(r"(?:^[-*] .*(?:\n(?! *$|[-*] ).+)*\n?)+", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """A heading, with the metadata of its cell."""

    id: str
    title: str  # in Markdown, without the minutes at its end
    level: int  # 1 for the largest
    minutes: float  # how long it takes, 0 if that is not said
    path: str  # "core", "more", or nothing
    exercise: bool

    @property
    def plain_title(self) -> str:
        """The title, without the marks of Markdown."""
        return plain(self.title)

    @property
    def number(self) -> str:
        """The number that the title begins with, or nothing."""
        found = re.match(r"\d+(?=\. )", self.title)
        return found[0] if found else ""


@dataclass(frozen=True)
class Lesson:
    """A notebook, or a paper: that is one with only Markdown."""

    notebook: NotebookNode
    source: Path
    title: str  # in Markdown
    sections: tuple[Section, ...]
    aims: str  # what the reader can do after it: a list in Markdown

    @property
    def plain_title(self) -> str:
        """The title, without the marks of Markdown."""
        return plain(self.title)

    @property
    def exercises(self) -> int:
        """How many exercises there are."""
        return sum(section.exercise for section in self.sections)

    def minutes(self, path: str) -> float:
        """Return how many minutes all sections of a path take, `core` or `more`."""
        return sum(section.minutes for section in self.sections if section.path == path)

    def folded(self) -> set[str]:
        """Return the ids of the cells whose outputs are folded: a guess comes before them.

        They follow a cell that asks with `predict(...)`, up to the one that compares, or are
        shown with `reveal`.
        """
        folded, guessing = set(), False
        for cell in self.notebook.cells:
            if cell.cell_type == "code":
                if cell.outputs and (guessing or ".reveal(" in cell.source):
                    folded.add(cell.id)
                asks, answers = "predict(" in cell.source, ".compare(" in cell.source
                guessing = asks or (guessing and not answers)
        return folded


def read_notebook(source: Path) -> Lesson:
    """Read a notebook with its outputs, without the cells that only authors need.

    Args:
        source: where it is.

    Raises:
        CannotBuild: it is no notebook, has no title, or was never run.
    """
    notebook = read(source)
    notebook.cells = [
        cell for cell in notebook.cells if "author" not in cell.metadata.get("tags", [])
    ]
    return _lesson(notebook, source)


def read_paper(source: Path) -> Lesson:
    """Read a file in Markdown; each heading of level 1 or 2 begins a cell.

    Args:
        source: where it is.

    Raises:
        CannotBuild: it has no title.
    """
    text = source.read_text(encoding="utf-8")
    # A comment in code looks like a heading. Of the same length, the places stay the same.
    without_code = FENCED.sub(lambda code: "`" * len(code[0]), text)
    begins = [each.start() for each in HEADING.finditer(without_code) if len(each[1]) <= 2]
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
    for marks, heading in HEADING.findall(FENCED.sub("", cell.source)):
        title = MINUTES.sub("", heading)
        # The id and the metadata of a cell are those of its first heading.
        metadata = {} if sections else cell.metadata
        sections.append(
            Section(
                slug(title) if sections else cell.id,
                title,
                len(marks),
                metadata.get("minutes", 0),
                metadata.get("path", ""),
                "exercise" in metadata,
            )
        )
    return sections


def plain(markdown: str) -> str:
    """Return a title in Markdown without its marks."""
    return re.sub(r"[`*]", "", markdown)


def slug(title: str) -> str:
    """Return the id of a heading that is not the first in its cell, made from its words."""
    return re.sub(r"[^\w]+", "-", title.lower()).strip("-") or "section"
