"""A method of one object, replaced for a while."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any


class Instead:
    """What is called in the place of an object's method, until it is put back.

    Args:
        owner: the object.
        name: the name of the method.
        around: is called with what was there, and with what the method is called with.
    """

    def __init__(self, owner: Any, name: str, around: Callable[..., Any]) -> None:
        # Weakly, or the object would be one of a circle, and outlive its last user.
        self.owner = weakref.ref(owner)
        self.name = name
        self.around = around
        # Somebody else may have had the same idea.
        self.before = vars(owner).get(name)
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
        """Put the method back; if somebody has replaced this one since, only step aside."""
        self.over = True
        owner = self.owner()
        if owner is None or vars(owner).get(self.name) is not self:
            return
        if self.before is None:
            del vars(owner)[self.name]
        else:
            vars(owner)[self.name] = self.before
