"""The exercises as modules, wherever Python looks for `exercises`.

A learner's `exercises.py`, beside the notebook, would hide that room.
"""

from classroom.paths import EXERCISES

__path__ = [str(EXERCISES)]
