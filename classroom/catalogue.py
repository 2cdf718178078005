"""The exercises, found by walking `exercises/`: a folder for each, in one for each notebook."""

from __future__ import annotations

import difflib
import functools
import importlib
from pathlib import Path
from types import ModuleType

from .examining.kinds import Choice, Exercise
from .paths import EXERCISES


class NoSuchExercise(ValueError):
    """A name that no exercise has; in a notebook it shows as one sentence."""

    def __init__(self, name: object) -> None:
        """Say it, with the name that was perhaps meant."""
        like = difflib.get_close_matches(str(name), folders(), 1)
        advice = f"did you mean {like[0]!r}?" if like else "progress() shows all of them."
        super().__init__(f"there is no exercise {name!r}: {advice}")

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of a traceback."""
        said = str(self)
        return [said[0].upper() + said[1:]]


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
        NoSuchExercise: there is none of that name.
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
        NoSuchExercise: there is none of that name.
        ModuleNotFoundError: it has no such file.
    """
    if not isinstance(name, str) or name not in folders():
        raise NoSuchExercise(name)
    folder = folders()[name]
    return importlib.import_module(
        f"classroom.exercise_modules.{folder.parent.name}.{name}.{module}"
    )
