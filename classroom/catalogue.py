"""The exercises, found by walking `exercises/`: a folder for each, in one for each notebook."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from types import ModuleType

from .examining.kinds import Choice, Exercise
from .paths import EXERCISES


@functools.cache
def folders() -> dict[str, Path]:
    """Return the folder of each exercise, by its name; those of a notebook stand together."""
    checks = sorted(EXERCISES.glob("*/*/check.py"))
    return {check.parent.name: check.parent for check in checks}


def find(name: str) -> Exercise | Choice:
    """Return an exercise.

    Args:
        name: how the notebook calls it.

    Raises:
        ValueError: there is no such exercise.
        TypeError: its `check.py` has none of that name.
    """
    exercise = getattr(material(name, "check"), name, None)
    if not isinstance(exercise, Exercise | Choice):
        raise TypeError(f"{folders()[name] / 'check.py'} has no exercise of the name {name!r}")
    return exercise


def every() -> dict[str, Exercise | Choice]:
    """Return all exercises, by their names, in the order of `folders`."""
    return {name: find(name) for name in folders()}


def material(name: str, module: str) -> ModuleType:
    """Return a module that an exercise brings for the notebook to show, or to run.

    Args:
        name: the exercise.
        module: the name of a file in its folder.

    Raises:
        ValueError: there is no such exercise.
        ModuleNotFoundError: it has no such file.
    """
    if not isinstance(name, str) or name not in folders():
        listing = ", ".join(folders())
        raise ValueError(f"there is no exercise {name!r}: it is one of {listing}")
    folder = folders()[name]
    return importlib.import_module(
        f"classroom.exercise_modules.{folder.parent.name}.{name}.{module}"
    )
