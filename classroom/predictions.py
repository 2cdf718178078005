"""Predictions: what somebody expects, written down before the run, and compared after it."""

from __future__ import annotations

from typing import Any


class Prediction:
    """What somebody expects, written down before the run.

    Args:
        expected: the expected values, in order; none at all, or `...` for any of them, while
            there is no expectation yet.
    """

    def __init__(self, expected: tuple[Any, ...]) -> None:
        if len(expected) == 1 and isinstance(expected[0], list | tuple):
            expected = tuple(expected[0])
        dots = sum(value is ... for value in expected)
        self.is_begun = 0 < dots < len(expected)
        self.expected = () if dots else expected

    def __repr__(self) -> str:
        if self.is_begun:
            return "There are dots left in your prediction: put something in place of each."
        if not self.expected:
            return "No prediction yet: put yours in place of the dots."
        return f"You predict: {_listed(self.expected)}"

    def compare(self, found: Any) -> None:
        """Print what was found beside what was expected.

        Args:
            found: a value, or a list or tuple of them.
        """
        found = tuple(found) if isinstance(found, list | tuple) else (found,)
        if not self.expected:
            print(f"It was: {_listed(found)}")
        elif _plain(self.expected) == _plain(found or ("nothing",)):
            print(f"As you predicted: {_listed(found)}")
        else:
            print(f"You predicted: {_listed(self.expected)}\nIt was:        {_listed(found)}")


def predict(*expected: Any) -> Prediction:
    """Write a prediction down; the next cell compares it with what happens.

    Args:
        *expected: what will come out, in order. `...` stands for no prediction yet.
    """
    return Prediction(expected)


def _listed(values: tuple[Any, ...]) -> str:
    # Without quotes, an empty string would look like nothing, and a comma like two values.
    words = (repr(v) if v == "" or "," in str(v) else str(v) for v in values)
    return ", ".join(words) or "nothing"


def _plain(values: tuple[Any, ...]) -> list[object]:
    """Return what counts in a comparison: numbers as such, words without case and full stop."""
    plain: list[object] = []
    for value in values:
        word = str(value).strip().rstrip(".?").lower()
        try:
            plain.append(float(word))
        except ValueError:
            plain.append(word)
    return plain
