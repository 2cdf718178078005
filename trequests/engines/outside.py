"""What to do when plain code asks on the loop's own thread, and nobody can wait for it.

There the whole loop stands still until the answer has come. That is never meant and easily
missed, so it is said. On a thread that runs no loop nobody is held up, and there is nothing to
say.
"""

from __future__ import annotations

import asyncio
import sys
import warnings
from contextvars import ContextVar
from typing import Literal, cast, get_args

Outside = Literal["warn", "raise", "block"]

NOBODY_WAITS = "it was not called underneath @tornalet"

# The libraries between the line that is to blame and the one that knows it.
BETWEEN = (
    "requests",
    "urllib3",
    "http",
    "socket",
    "ssl",
    "trequests",
)


# So that one request that blocks the loop is told of once, and not for each of its waits.
told: ContextVar[bool] = ContextVar("told", default=False)


def checked(outside: str) -> Outside:
    """Return what was given, if it is something that can be done.

    Raises:
        ValueError: it is not.
    """
    if outside not in get_args(Outside):
        raise ValueError(f"outside is one of {', '.join(get_args(Outside))}, not {outside!r}")
    return cast(Outside, outside)


def loop_runs_here() -> bool:
    """Return whether this thread is running an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def tell(outside: Outside, what: str, why: str = NOBODY_WAITS) -> None:
    """Say that the event loop is about to be blocked, if it is.

    Args:
        outside: "warn", "raise", or "block" for saying nothing.
        what: what blocks it.
        why: the reason.

    Raises:
        RuntimeError: `outside` is "raise".
    """
    if outside == "block" or not loop_runs_here():
        return
    message = f"{what} blocks the event loop: {why}"
    if outside == "raise":
        raise RuntimeError(message)
    warnings.warn(message, RuntimeWarning, stacklevel=_stacklevel())


def _stacklevel() -> int:
    """Return the level of the line that called into all this, for a warning of `tell`."""
    level, frame = 2, sys._getframe(2)
    while frame.f_back and _is_between(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    return level


def _is_between(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in BETWEEN)
