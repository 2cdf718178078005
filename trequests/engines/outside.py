"""A request on the event loop's own thread, outside of a greenlet: warn, refuse, or block.

There the whole loop stands still until the answer has come. That is never meant and easily
missed. On a thread that runs no loop nobody is held up, and blocking is right.
"""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, cast, get_args

Outside = Literal["warn", "raise", "block"]

NO_TORNALET = "it was not called underneath @tornalet"

# A warning names the line that called into these.
LIBRARIES = (
    "requests",
    "urllib3",
    "http",
    "socket",
    "ssl",
    "trequests",
)

# Whether a warning was given for the request that is under way, which may wait many times.
warned: ContextVar[bool] = ContextVar("warned", default=False)


# Whether a `must_wait` block is around.
_must_wait: ContextVar[bool] = ContextVar("must_wait", default=False)


@contextmanager
def must_wait() -> Iterator[None]:
    """Let each request raise that would hold the event loop, for as long as the block lasts.

    Whatever its `setup_session` says, which has to be there. It goes with the context: what the
    block starts on the loop is in it too. So a test finds out who still blocks.

    Raises:
        RuntimeError: from the request.
    """
    token = _must_wait.set(True)
    try:
        yield
    finally:
        _must_wait.reset(token)


def checked(outside: str) -> Outside:
    """Return the argument `outside` if it is one of those that there are.

    Raises:
        ValueError: it is something else.
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


def report_blocking(outside: Outside, what: str, why: str = NO_TORNALET) -> None:
    """Warn or raise if a loop runs on this thread, which is about to be blocked.

    Args:
        outside: "warn", "raise", or "block" for neither.
        what: what blocks it.
        why: the reason.

    Raises:
        RuntimeError: `outside` is "raise".
    """
    if _must_wait.get():
        outside = "raise"
    if outside == "block" or not loop_runs_here():
        return
    message = f"{what} blocks the event loop: {why}"
    if outside == "raise":
        raise RuntimeError(message)
    warnings.warn(message, RuntimeWarning, stacklevel=_stacklevel())


def _stacklevel() -> int:
    """Return the level of the line that called into the libraries, for `report_blocking`."""
    level, frame = 2, sys._getframe(2)
    while frame.f_back and _is_of_library(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    return level


def _is_of_library(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in LIBRARIES)
