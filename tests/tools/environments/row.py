"""A row of the table of environments: what was set, and what a person saw."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.houses import BASE, Outcome, door

EVERYWHERE = ("linux", "darwin", "win32")


@dataclass
class Place:
    """A house, and what is put there for one row and taken away after it.

    Attributes:
        house: the folder of the project.
        spare: an empty folder of the row's own, outside of it.
        environment: variables that are set for the door.
        python: what starts the door: a Python, and options of it.
    """

    house: Path
    spare: Path
    environment: dict[str, str] = field(default_factory=dict)
    python: list[str] = field(default_factory=lambda: [BASE])
    leaving: ExitStack = field(default_factory=ExitStack)

    def write(self, path: str | Path, text: str | bytes = "") -> Path:
        """Write a file, in the house if the path is relative, which goes after the row."""
        file = self.house / path
        made = next((p for p in reversed(file.parents) if not p.exists()), file)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.leaving.callback(_remove, made)
        return file


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Row:
    """What was set, what was done, and what a person saw.

    Attributes:
        what: what was set, in words, as the table has it.
        sees: what must stand in what the door prints, word for word.
        lay: sets it.
        do: the words after `workshop.py`.
        code: the exit code.
        absent: what must not be printed.
        systems: where such a thing exists.
        small: whether a house with few packages is enough, which is set up anew for this row.
        can: whether such a thing can be set by whoever runs the tests.
    """

    what: str
    sees: str
    lay: Callable[[Place], object]
    do: Sequence[str] = ("check",)
    code: int = 0
    absent: str = "Traceback"
    systems: tuple[str, ...] = EVERYWHERE
    small: bool = False
    can: Callable[[], bool] = lambda: True

    @property
    def is_here(self) -> bool:
        """Return whether this system has such a thing, and lets us set it."""
        return sys.platform in self.systems and self.can()

    def happens(self, place: Place) -> Outcome:
        """Set it, open the door, and return what came of it."""
        with place.leaving:
            self.lay(place)
            python, *options = place.python
            return door(
                place.house, *self.do, python=python, options=options, **place.environment
            )

    def must_be_here(self) -> None:
        """Skip the test where there is no such thing, or it cannot be set."""
        if not self.is_here:
            pytest.skip(f"only on {', '.join(self.systems)}, and where it can be set")

    def is_as_it_says(self, house: Path, folder: Path, **environment: str) -> None:
        """Have it happen, and compare what was seen with what the row says.

        Args:
            house: the one in which it happens.
            folder: the test's own.
            **environment: variables that are set besides those of the row.
        """
        (folder / "spare").mkdir()
        seen = self.happens(Place(house, folder / "spare", environment))
        said = seen.stdout + seen.stderr
        assert self.sees in said, said
        assert self.absent not in said, said
        assert seen.returncode == self.code, seen
