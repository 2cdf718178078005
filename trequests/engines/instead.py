"""Methods of one object, replaced for a while.

A replacement has to be on the object, since that is where Python looks for it. Which of them an
object has, so that they can be taken back, is kept here.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

from .by_identity import ByIdentity


class _Replacement:
    """What is called in the place of an object's method, until it is taken back.

    Args:
        owner: the object.
        name: the name of the method.
        around: is called with what was there, and with what the method is called with.
    """

    def __init__(self, owner: Any, name: str, around: Callable[..., Any]) -> None:
        # A strong reference would make a reference cycle, and the object would outlive its last
        # user until the next garbage collection.
        self.owner = weakref.ref(owner)
        self.name = name
        self.around = around
        # Somebody else may have replaced the method too.
        self.before = vars(owner).get(name)
        if isinstance(self.before, _Replacement) and self.before.owner() is not owner:
            # The object is a copy of another one, with that one's replacement in its variables.
            self.before = self.before.before
        self.over = False
        vars(owner)[name] = self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call what stands around the method, or the method itself if that is over."""
        owner = self.owner()
        original = self.before or functools.partial(getattr(type(owner), self.name), owner)
        if self.over:
            return original(*args, **kwargs)
        return self.around(original, *args, **kwargs)

    def end(self) -> None:
        """Put the method back; if somebody has replaced this one since, only pass calls on."""
        self.over = True
        owner = self.owner()
        if owner is None or vars(owner).get(self.name) is not self:
            return
        if self.before is None:
            del vars(owner)[self.name]
        else:
            vars(owner)[self.name] = self.before


# The replacements weakly too: what one has replaced may refer to the object. Each is alive as
# long as something can call it.
_replacements = ByIdentity[Any, "weakref.WeakSet[_Replacement]"]()


def patch(owner: Any, around: dict[str, Callable[..., Any]]) -> None:
    """Replace methods of one object, until `unpatch`.

    Args:
        owner: the object.
        around: for the name of each method, what is called in its place: with what was there,
            and with what the method is called with.
    """
    replacements = _replacements.get(owner, weakref.WeakSet())
    _replacements[owner] = replacements
    for name, each in around.items():
        replacements.add(_Replacement(owner, name, each))


def unpatch(owner: Any) -> None:
    """Put the methods of an object back that `patch` has replaced."""
    for replacement in _replacements.pop(owner, weakref.WeakSet()):
        replacement.end()
