"""Which exercises are done: kept in `work/`, so that it outlives the kernel.

Nothing is written for authors and tests, who work in `notebooks/` without `lab`, or with `lab
--committed`. Where nothing can be written or read, it is kept for as long as the kernel lives,
and nobody is troubled.
"""

from __future__ import annotations

import contextlib
import json
import os
from html import escape
from itertools import groupby
from pathlib import Path

from .paths import WORK
from .places import Place, places

FILE = WORK / ".progress.json"
MOST_READ = 1 << 20  # bytes; some thousand are needed

_CELL = '<td style="text-align: left; white-space: {}">{}</td>'

# What this kernel knows; another one may write the file too.
_here: dict[str, str] = {}


def remember(name: str, state: str) -> None:
    """Remember what became of an answer to an exercise; what was done once stays done.

    Args:
        name: the exercise.
        state: "done" or "tried".
    """
    known = states()
    if known.get(name) in (state, "done"):
        return
    known[name] = _here[name] = state
    if not _is_working_copy():
        return
    # Another name first: a kernel may be killed, or another one read, in the middle.
    part = FILE.with_name(f"{FILE.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        part.unlink(missing_ok=True)
        try:
            # Only a new file: to write into a pipe that is there already may never end.
            with part.open("x", encoding="utf-8") as file:
                file.write(json.dumps(known, indent=1))
            # It takes the place of a pipe, or a link, too; of a folder it does not.
            part.replace(FILE)
        finally:
            part.unlink(missing_ok=True)


def states() -> dict[str, str]:
    """Return what became of each exercise that somebody has tried: "done" or "tried"."""
    kept: dict[str, str] = {}
    if _is_working_copy():
        with contextlib.suppress(OSError, ValueError, AttributeError, RecursionError):
            for name, state in json.loads(_read()).items():
                if state in ("done", "tried"):
                    kept[name] = state
    return kept | {name: state for name, state in _here.items() if kept.get(name) != "done"}


def _read() -> bytes:
    """Return what is in the file; of something else, which may have no end, nothing."""
    if not FILE.is_file():
        return b""
    with FILE.open("rb") as file:
        return file.read(MOST_READ)


def done() -> set[str]:
    """Return the exercises that are done."""
    return {name for name, state in states().items() if state == "done"}


def _is_working_copy() -> bool:
    """Whether the notebook is somebody's own, as `workshop.py lab` opens it."""
    is_first = os.environ.get("STORMY_PREDICT_FIRST") == "1"
    with contextlib.suppress(OSError):
        is_first = is_first or Path.cwd().is_relative_to(WORK.resolve())
    return is_first and WORK.is_dir()


class Progress:
    """All exercises, and which of them are done; it shows itself as a table."""

    def __init__(self) -> None:
        self.states = states()
        self.notebooks = [
            (name, list(group)) for name, group in groupby(places(), lambda each: each.notebook)
        ]

    def _summary(self, group: list[Place]) -> str:
        """Say how much of a notebook is done, and what is left of its core."""
        left = [place for place in group if self.states.get(place.name) != "done"]
        core = sum(place.minutes for place in left if place.path == "core")
        words = f"{len(group) - len(left)} of {len(group)} done"
        return f"{words}, {core} min of core exercises left" if core else words

    def __repr__(self) -> str:
        lines = []
        for notebook, group in self.notebooks:
            lines.append(f"{notebook}: {self._summary(group)}")
            lines += [
                f"  {self.states.get(each.name, ''):<7}{each.name:<17}{each.minutes:>2} min  "
                f"{each.path}  {each.section}: {each.title}"
                for each in group
            ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = []
        for notebook, group in self.notebooks:
            title = f"{escape(notebook)}: {self._summary(group)}"
            rows.append(f'<tr><th colspan="5" style="text-align: left">{title}</th></tr>')
            rows += [_row(self.states.get(each.name, ""), each) for each in group]
        return f"<table>{''.join(rows)}</table>"


def _row(state: str, place: Place) -> str:
    where = f"{place.section}: {place.title}"
    cells = (
        f"<b>{state}</b>",
        f"<code>{escape(place.name)}</code>",
        f"{place.minutes} min",
        escape(place.path),
    )
    shown = [_CELL.format("nowrap", cell) for cell in cells]
    return f"<tr>{''.join(shown)}{_CELL.format('normal', escape(where))}</tr>"


def progress() -> Progress:
    """Show which exercises are done, with their minutes."""
    return Progress()
