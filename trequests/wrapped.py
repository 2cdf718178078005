"""Methods of classes that others made, with something of ours around them for a while.

Others wrap and replace the same methods: recorders, mocks, instruments. Whoever came last is on
top, and goes first or last; so a wrapper of ours that is not on top any more stays where it is,
and only passes calls on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .engines.replaced import OURS, is_ours


def wrap(owner: type, name: str, around: Callable[..., Any]) -> None:
    """Put a function around a method, unless there is one of ours already.

    Args:
        owner: the class.
        name: the name of the method.
        around: is called with what was there, and with what the method is called with, the
            object first.
    """
    static, original = vars(owner)[name], getattr(owner, name)
    if is_ours(static) or _is_double(static):
        return

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return around(original, self, *args, **kwargs)

    # Not what a descriptor makes of it, which is what `getattr` gives.
    method.__wrapped__ = static
    OURS.add(method)
    setattr(owner, name, method)


def unwrap(owner: type, name: str) -> None:
    """Put back what was there, unless somebody has replaced it since."""
    method = vars(owner)[name]
    if is_ours(method):
        setattr(owner, name, method.__wrapped__)


def _is_double(method: Any) -> bool:
    """Return whether it is a double of a test, which is asked what it was called with."""
    return type(method).__module__ == "unittest.mock"
