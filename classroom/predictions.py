"""Predictions: what somebody expects, written down before the run, and compared after it.

With STORMY_PREDICT_FIRST=1 in the environment, as `workshop.py lab` sets it, nothing tells the
answer while a prediction is empty.
"""

from __future__ import annotations

import contextlib
import math
import os
from typing import Any, TypeVar

from .text import Text
from .unquoted import Unquoted, name_or_value, sentence

FIRST = (
    "Predict first: put something in place of the dots and run that cell, or say predict(None)."
)
MOST_SHOWN = 500  # characters of a prediction

Shown = TypeVar("Shown")


class Prediction:
    """What somebody expects, written down before the run.

    Args:
        expected: the expected values, in order; none at all, or `...` for any of them, while
            there is no expectation yet; None from somebody who does not want to guess.
    """

    def __init__(self, expected: tuple[Any, ...]) -> None:
        self.is_begun = self.is_declined = self.is_unquoted = False
        self.expected: tuple[Any, ...] = ()
        self.never_shown = ""
        try:
            self._read(expected)
        except Exception as error:
            # An object may raise whatever it likes when it is asked for its words.
            self.never_shown = _what_fails(error)

    def _read(self, expected: tuple[Any, ...]) -> None:
        if len(expected) == 1 and isinstance(expected[0], list | tuple):
            # An empty list says that nothing comes.
            expected = tuple(expected[0]) or ("nothing",)
        if any(isinstance(value, Unquoted) for value in expected):
            words = sentence(expected)
            self.is_unquoted = True
            print(words)
            return
        # What cannot be shown, or compared, is noticed here, and in no cell below.
        _listed(expected)
        _plain(expected)
        dots = sum(value is ... for value in expected)
        self.is_begun = 0 < dots < len(expected)
        self.is_declined = bool(expected) and all(value is None for value in expected)
        self.expected = () if dots or self.is_declined else expected

    def __repr__(self) -> str:
        if self.never_shown:
            return (
                f"No prediction yet: {self.never_shown} cannot be shown. "
                "Write something that can, such as a word in quotes."
            )
        if self.is_begun:
            return "There are dots left in your prediction: put something in place of each."
        if self.is_unquoted:
            return "No prediction yet: write it once more, with the quotes."
        if self.is_declined:
            return "You do not guess: see what happens."
        if not self.expected:
            return "No prediction yet: put yours in place of the dots."
        return f"You predict: {_listed(self.expected)}"

    @property
    def comes_first(self) -> bool:
        """Whether the answer waits for this prediction, which is still empty."""
        is_empty = not self.expected and not self.is_declined
        return is_empty and os.environ.get("STORMY_PREDICT_FIRST") == "1"

    def compare(self, found: Any, shown: Shown | None = None) -> Shown | None:
        """Print what was found beside what was expected.

        Args:
            found: a value, or a list or tuple of them.
            shown: what tells the answer, too, as a film does.

        Returns:
            `shown`, for the notebook to show; None while the answer waits for a prediction.
        """
        if self.comes_first:
            print(FIRST)
            return None
        found = tuple(found) if isinstance(found, list | tuple) else (found,)
        expected = _split(self.expected, len(found))
        if not expected:
            print(f"It was: {_listed(found)}")
        elif _plain(expected) == _plain(found) or (not found and _is_nothing(expected)):
            print(f"As you predicted: {_listed(found)}")
        else:
            print(f"You predicted: {_listed(expected)}\nIt was:        {_listed(found)}")
        return shown

    def reveal(self, shown: Shown) -> Shown | Text:
        """Give what tells the answer to the notebook, in another cell than the comparison.

        Args:
            shown: what tells the answer, as a film does.

        Returns:
            `shown`; while the answer waits for a prediction, the words that say so.
        """
        return Text(FIRST) if self.comes_first else shown


def predict(*expected: Any) -> Prediction:
    """Write a prediction down; the next cell compares it with what happens.

    Args:
        *expected: what will come out, in order. `...` stands for no prediction yet; `None`
            is for who does not want to guess.
    """
    return Prediction(expected)


def _split(expected: tuple[Any, ...], number: int) -> tuple[Any, ...]:
    """Return several values where somebody wrote as many into one string."""
    if len(expected) == 1 and isinstance(expected[0], str):
        text = expected[0]
        for words in ([word.strip() for word in text.split(",")], text.split()):
            if len(words) == number > 1:
                return tuple(words)
    return expected


def _what_fails(error: Exception) -> str:
    """Return in words what it is that raises an error when it is to be shown."""
    match error.args:
        case [str(words), *_] if "digits" in words:
            return "a number of so many digits"
    return "what you have written"


def _is_nothing(expected: tuple[Any, ...]) -> bool:
    words = ("nothing", "none", "empty", "[]", "", "false", 0)
    return len(expected) == 1 and _plain(expected)[0] in words


def _listed(values: tuple[Any, ...]) -> str:
    listed = ", ".join(map(_shown, values)) or "nothing"
    return listed if len(listed) <= MOST_SHOWN else f"{listed[:MOST_SHOWN]} ..."


def _shown(value: object) -> str:
    """Return a value in one line."""
    named = name_or_value(value)
    text = str(named)
    # Without quotes, an empty string would look like nothing, and a comma like two values.
    if "," in text or text.splitlines() != [text]:
        text = " ".join(repr(named).splitlines())
    # A lone surrogate cannot be encoded, and so not be sent to a notebook.
    return text.encode("utf-8", "backslashreplace").decode()


def _plain(values: tuple[Any, ...]) -> list[object]:
    """Return what counts in a comparison: numbers as such, words without case and full stop."""
    words = (str(name_or_value(value)).strip().rstrip(".?").lower() for value in values)
    return [_number_or_word(word) for word in words]


def _number_or_word(word: str) -> object:
    with contextlib.suppress(ValueError):
        return int(word)
    with contextlib.suppress(ValueError):
        number = float(word)
        # None that is too large for a float is as large as another, and nan equals nothing.
        if math.isfinite(number) or word.lstrip("+-").startswith("inf"):
            return number
    return word
