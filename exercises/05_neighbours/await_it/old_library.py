"""The library that the learner's code is given: it knows callbacks and threads, and no loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Callback = Callable[[Any], object]


class Call:
    """Something that is under way, and has an answer some day.

    Attributes:
        cancels: how often it was cancelled.
        raised: what the callbacks have raised, which nobody catches.
        at_once: what is called with a pair of callbacks as soon as it is given.
        when_cancelled: what is called when it is cancelled, before that is done.
    """

    def __init__(self) -> None:
        self._callbacks: list[tuple[Callback, Callback]] = []
        self.cancels = 0
        self.raised: list[BaseException] = []
        self.at_once: Callable[[Call], None] | None = None
        self.when_cancelled: Callable[[Call], None] | None = None

    @property
    def is_asked(self) -> bool:
        """Whether it was given callbacks."""
        return bool(self._callbacks)

    def add_callbacks(self, on_result: Callback, on_error: Callback) -> None:
        """Keep whom to call."""
        self._callbacks.append((on_result, on_error))
        if self.at_once:
            self.at_once(self)

    def cancel(self) -> None:
        """Note that nobody wants the answer any more."""
        self.cancels += 1
        if self.when_cancelled:
            self.when_cancelled(self)

    def answer(self, value: object) -> None:
        """Call back with a value."""
        self._call(0, value)

    def fail(self, error: BaseException) -> None:
        """Call back with an exception."""
        self._call(1, error)

    def _call(self, which: int, what: object) -> None:
        for pair in list(self._callbacks):
            try:
                pair[which](what)
            except Exception as error:
                self.raised.append(error)
