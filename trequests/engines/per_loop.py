"""A value for each event loop, kept apart from the loop."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """What holds descriptors until it is closed."""

    def close(self) -> None:
        """Let go of them; the loop is closed by then, and this may be another thread."""


T = TypeVar("T", bound=Closable)


class PerLoop(Generic[T]):
    """A value for each event loop, until that loop is closed.

    No callback tells that a loop is closed, and a value that refers to its loop keeps even a
    weak key alive. So each time a value is made, those of closed loops are closed and dropped,
    as Tornado does with its own map of loops.

    Threads may share it: each asks for the loop that it runs. There is no lock, since a forked
    process could inherit it locked.

    Args:
        make: returns a new value for the loop that is running.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        """Begin without values."""
        self._make = make
        self._values = weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, T]()

    def find(self, loop: asyncio.AbstractEventLoop) -> T | None:
        """Return the value for a loop, or None if none was made."""
        return self._values.get(loop)

    def of(self, loop: asyncio.AbstractEventLoop) -> T:
        """Return the value for the loop that is running, and make it if there is none yet."""
        value = self._values.get(loop)
        if value is None:
            self._drop_closed()
            value = self._values[loop] = self._make()
        return value

    def close(self) -> None:
        """Close and drop the values of all loops."""
        for reference in self._values.keyrefs():
            if (loop := reference()) is not None:
                self._drop(loop)

    def _drop_closed(self) -> None:
        # The list is made in one step. Going through the dictionary itself would fail when
        # another thread adds a value meanwhile.
        for reference in self._values.keyrefs():
            loop = reference()
            if loop is not None and loop.is_closed():
                self._drop(loop)

    def _drop(self, loop: asyncio.AbstractEventLoop) -> None:
        value = self._values.pop(loop, None)
        try:
            if value is not None:
                value.close()
        except Exception:
            # Whoever asks for a value of another loop has nothing to do with it.
            logging.getLogger(__name__).exception("cannot close %r", value)
