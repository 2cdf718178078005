"""The exercises of the notebooks, and who checks them: a folder for each notebook."""

from __future__ import annotations

from .callbacks import EXERCISES as CALLBACKS
from .coroutines import EXERCISES as COROUTINES
from .exercise import Choice, Exercise
from .trequests import EXERCISES as TREQUESTS

ALL: tuple[Exercise | Choice, ...] = (*CALLBACKS, *COROUTINES, *TREQUESTS)
EXERCISES: dict[str, Exercise | Choice] = {each.name: each for each in ALL}
