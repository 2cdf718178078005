"""Something for each of other people's objects, for as long as they are there.

A `WeakKeyDictionary` asks an object for its hash, and whether it equals others. An object of a
data class has no hash, and two adapters that are equal are two adapters.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class ByIdentity(Generic[K, V]):
    """A weak dictionary whose keys are objects, whatever they say that they equal."""

    def __init__(self) -> None:
        """Begin without any."""
        # For the number of each object a weak reference to it, and its value.
        self._values = dict[int, tuple[weakref.ref[K], V]]()

    def __contains__(self, thing: K) -> bool:
        """Return whether there is something for an object."""
        return id(thing) in self._values

    def __getitem__(self, thing: K) -> V:
        """Return what there is for an object.

        Raises:
            KeyError: there is nothing.
        """
        return self._values[id(thing)][1]

    def __setitem__(self, thing: K, value: V) -> None:
        """Keep something for an object, until that goes."""
        number, forget = id(thing), self._values.pop
        # No other object has the number before this was called. It knows of the dictionary
        # only: a reference to this would be a reference cycle.
        reference = weakref.ref(thing, lambda _: forget(number, None))
        self._values[number] = reference, value

    def __iter__(self) -> Iterator[K]:
        """Go through the objects that are still there."""
        for reference, _ in list(self._values.values()):
            if (thing := reference()) is not None:
                yield thing

    def get(self, thing: K, otherwise: V) -> V:
        """Return what there is for an object, or something else."""
        found = self._values.get(id(thing))
        return otherwise if found is None else found[1]

    def pop(self, thing: K, otherwise: V) -> V:
        """Return what there was for an object, and forget it."""
        found = self._values.pop(id(thing), None)
        return otherwise if found is None else found[1]

    def clear(self) -> None:
        """Forget all."""
        self._values.clear()
