"""How long a slide takes to say, added up from its notes, its code and its films.

So the minutes of a slide are nobody's guess. A speaker who is faster has time for questions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nbformat import NotebookNode

from slides.making.inline import FILM, decoded
from slides.making.playable import PLAYED_SECONDS, is_film

WORDS_A_MINUTE = 130
QUESTION_SECONDS = 20
CODE_SECONDS = 15  # for a step that shows code

# What somebody says aloud; what stands after *Demo* is done.
SAID = re.compile(r"^- \*\*(?:Note|Ask):\*\* (.*)$", re.MULTILINE)
ASKED = re.compile(r"^- \*\*Ask:\*\* ", re.MULTILINE)
WORD = re.compile(r"\S*\w\S*")


@dataclass(frozen=True)
class Timing:
    """What takes time on a slide.

    Attributes:
        words: how many are said.
        questions: how many are asked.
        code: how many steps show code.
        has_film: whether a film is played, or several at once.
    """

    words: int
    questions: int
    code: int
    has_film: bool

    @property
    def seconds(self) -> int:
        """Return how long all of it takes, in whole seconds."""
        said = 60 * self.words / WORDS_A_MINUTE
        shown = QUESTION_SECONDS * self.questions + CODE_SECONDS * self.code
        return round(said + shown + PLAYED_SECONDS * self.has_film)


def timing(cells: list[NotebookNode]) -> Timing:
    """Return what takes time on a slide.

    Args:
        cells: those of the slide, with its notes.
    """
    notes = "\n".join(cell.source for cell in cells if kind(cell) == "notes")
    words = sum(len(WORD.findall(said)) for said in SAID.findall(notes))
    return Timing(words, len(ASKED.findall(notes)), _steps_with_code(cells), _has_film(cells))


def kind(cell: NotebookNode) -> str:
    """Return what a cell is in the deck: the first of a slide, a fragment, notes or skipped."""
    return str(cell.metadata.get("slideshow", {}).get("slide_type", ""))


def clock(seconds: float) -> str:
    """Return a time as on a clock: "1:05"."""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02}"


def _steps_with_code(cells: list[NotebookNode]) -> int:
    with_code, step = set(), 0
    for cell in cells:
        if kind(cell) in ("notes", "skip"):
            continue
        tags = cell.metadata.get("tags", [])
        step += kind(cell) == "fragment"
        is_code = cell.cell_type == "code" and "bare" not in tags
        if is_code or "```" in cell.source:
            with_code.add(step)
        # Its output is a step of its own.
        step += "predict" in tags
    return len(with_code)


def _has_film(cells: list[NotebookNode]) -> bool:
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    pages = [output.get("data", {}).get("text/html", "") for output in outputs]
    return any(is_film(decoded(data)) for page in pages for data in FILM.findall(page))
