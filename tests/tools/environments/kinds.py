"""All rows of the table, by kind: each kind is a module with its `ROWS`."""

from __future__ import annotations

import importlib
from pathlib import Path

from .row import Row

HERE = Path(__file__).parent


def kinds() -> dict[str, list[Row]]:
    """Return the rows of each kind, by the first line of its module."""
    found = {}
    for path in sorted(HERE.glob("of_*.py")):
        module = importlib.import_module(f".{path.stem}", __package__)
        title = str(module.__doc__).partition("\n")[0].removesuffix(".")
        found[title] = list(module.ROWS)
    return found
