"""Where each exercise stands, and what the notebooks say of it: read from their headings."""

from __future__ import annotations

import contextlib
import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path

from .catalogue import find, folders
from .paths import NOTEBOOKS


@dataclass(frozen=True)
class Place:
    """An exercise as its notebook has it.

    Attributes:
        name: how the notebook calls it.
        notebook: the notebook, such as "01_callbacks".
        section: where in it, such as "section 6".
        title: its heading.
        minutes: how long it takes.
        path: "core" or "more".
    """

    name: str
    notebook: str
    section: str
    title: str
    minutes: int
    path: str


@functools.cache
def places() -> tuple[Place, ...]:
    """Return all exercises that stand in a notebook, in the order of the page."""
    found: list[Place] = []
    for file in sorted(NOTEBOOKS.glob("[!.]*.ipynb")):
        # One that somebody has spoiled has no exercises, and is no reason to fail a check.
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            found += _places_in(file)
    return tuple(found)


def _places_in(file: Path) -> list[Place]:
    found, section = [], ""
    for cell in json.loads(file.read_bytes())["cells"]:
        heading = re.match(r"(##+) (.*?)(?: \(\d+ min\))?\n", "".join(cell["source"]) + "\n")
        if not heading or cell["cell_type"] != "markdown":
            continue
        level, title = heading.groups()
        if level == "##":
            number = re.match(r"\d+", title)
            section = f"section {number[0]}" if number else f"“{title}”"
        data = cell["metadata"]
        if data.get("exercise") in folders():
            title = re.sub(r"^Exercise(?: \(more\))?: ", "", title)
            route = data.get("minutes", 0), data.get("path", "")
            found.append(Place(data["exercise"], file.stem, section, title, *route))
    return found


def next_of(name: str, done: set[str]) -> list[Place]:
    """Return the next exercises of the same notebook that are to be done.

    Args:
        name: the exercise that comes before them on the page; after the last comes the first.
        done: the exercises that are done.

    Returns:
        The next one of the core, and before it the next one of all if that is another: none,
        one, or two.
    """
    here = [place for place in places() if place.notebook == find(name).notebook]
    passed = [number for number, place in enumerate(here, 1) if place.name == name]
    after = passed[0] if passed else 0
    left = [place for place in here[after:] + here[:after] if place.name not in done]
    core = [place for place in left if place.path == "core"]
    return list(dict.fromkeys(left[:1] + core[:1]))
