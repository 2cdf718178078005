"""Something for each of other people's objects, for as long as they are there.

A `WeakKeyDictionary` asks an object for its hash, and whether it equals others. An object of a
data class has no hash, and two adapters that are equal are two adapters.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class _Reference(weakref.ref[K]):
    """A weak reference that equals those to the very same object."""

    __slots__ = ("number",)

    def __init__(self, thing: K, callback: Any = None, /) -> None:
        # No other has it before the callback was called.
        self.number = id(thing)

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reference) and self.number == other.number


class ByIdentity(Generic[K, V]):
    """A weak dictionary whose keys are objects, whatever they say that they equal."""

    def __init__(self) -> None:
        """Begin without any."""
        self._values = dict[_Reference[K], V]()
        # Breaks a reference cycle: a key would keep this alive.
        forget = self._values.pop
        self._forget = lambda reference: forget(reference, None)

    def __contains__(self, thing: K) -> bool:
        """Return whether there is something for an object."""
        return _Reference(thing) in self._values

    def __getitem__(self, thing: K) -> V:
        """Return what there is for an object.

        Raises:
            KeyError: there is nothing.
        """
        return self._values[_Reference(thing)]

    def __setitem__(self, thing: K, value: V) -> None:
        """Keep something for an object, until that goes."""
        self._values[_Reference(thing, self._forget)] = value

    def __iter__(self) -> Iterator[K]:
        """Go through the objects that are still there."""
        for reference in list(self._values):
            if (thing := reference()) is not None:
                yield thing

    def get(self, thing: K, otherwise: V) -> V:
        """Return what there is for an object, or something else."""
        return self._values.get(_Reference(thing), otherwise)

    def pop(self, thing: K, otherwise: V) -> V:
        """Return what there was for an object, and forget it."""
        return self._values.pop(_Reference(thing), otherwise)

    def clear(self) -> None:
        """Forget all."""
        self._values.clear()
