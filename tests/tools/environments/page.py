"""The table of environments as a page, which is made from its rows."""

from __future__ import annotations

import shlex

from .kinds import HERE, kinds
from .row import EVERYWHERE, Row

PAGE = HERE / "README.md"
BEGINNING = """\
# What people have on their machines

Each row is a machine on which somebody begins: what was set there, what they do, and what they
see. Each is also a test, which sets it, opens the door, and reads what it prints. Here are
{rows} rows; {here} of them happen on Linux, and are run wherever the tests are. Those of macOS
and Windows alone are run by the matrix of CI, on its machines, and were seen nowhere else.

"Anew" is a copy of the kit with few packages, which is set up for this one row, by
`test_anew.py`; all others share a copy that is ready for the day, in `test_environments.py`.
Where nothing is said of an exit code, it is 0.

This page is made from the rows, by `.venv/bin/python -m tests.tools.environments`.
"""
HEAD = """
## {title}

| what was set | where | what a person does | what they see |
|---|---|---|---|
"""
NAMES = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


def page() -> str:
    """Return the page."""
    tables = kinds()
    rows = [row for table in tables.values() for row in table]
    here = sum("linux" in row.systems for row in rows)
    text = BEGINNING.format(rows=len(rows), here=here)
    for title, table in tables.items():
        if table:
            text += HEAD.format(title=title) + "".join(map(_line, table))
    return text


def _line(row: Row) -> str:
    does = f"`{_short(shlex.join(['workshop.py', *row.do]), 60)}`" + (
        ", anew" if row.small else ""
    )
    sees = f"`{_short(row.sees)}`" if row.sees.strip() else "nothing"
    if row.absent != Row.absent:
        sees += f", and not `{_short(row.absent)}`"
    if row.code:
        sees += f" (exit code {row.code})"
    cells = (row.what, _where(row), does, sees)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _where(row: Row) -> str:
    if set(row.systems) == set(EVERYWHERE):
        return "everywhere"
    names = ", ".join(NAMES[system] for system in row.systems)
    if row.can is not Row.can:
        names += ", if it lets us"
    return names if "linux" in row.systems else f"{names}: CI"


def _short(words: str, most: int = 160) -> str:
    """Return words in one line, which is no longer than somebody reads."""
    words = " ".join(words.split())
    return words if len(words) <= most else f"{words[: most - 1]}…"
