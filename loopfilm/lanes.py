"""Whose step is it: a label that follows a task, or a request, through the event loop.

The loop runs one short step after another, and a step does not know on whose behalf it runs. A
context variable does: asyncio copies the context into every callback, timer and task that a
step starts. So it is enough to set the variable once, at the start::

    with lane("tick"):
        asyncio.create_task(tick())

`labelling` does the same for the requests of an application, and a film for the tasks that are
started while it is made and that nobody has put into a lane.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


class Kind(enum.Enum):
    """What a lane stands for."""

    GIVEN = "somebody gave it a name"
    REQUEST = "a request, and somebody waits for its answer"
    NAMED_TASK = "a task that somebody gave a name"
    TASK = "any other task"


@dataclass(eq=False)
class Lane:
    """One request, or one task.

    Two requests of one user are two lanes of one name, so lanes are compared by identity.

    Attributes:
        name: what to call it.
        kind: what it stands for.
        finished: when the handler finished its answer, in seconds of `time.perf_counter`;
            `None` before that, and for tasks.
        idle_since: when its last step until now ended, likewise; 0 before the first.
    """

    name: str
    kind: Kind = Kind.GIVEN
    finished: float | None = None
    idle_since: float = 0.0


LANE: ContextVar[Lane | None] = ContextVar("LANE", default=None)


@contextmanager
def lane(name: str) -> Iterator[None]:
    """Put what is started inside the block into a lane.

    Args:
        name: what to call the lane.
    """
    if not isinstance(name, str):
        raise TypeError(f"the name of a lane is a string, not {name!r}")
    with in_lane(Lane(name)):
        yield


@contextmanager
def in_lane(lane: Lane | None) -> Iterator[None]:
    """Put what is started inside the block into this lane, or into none.

    Args:
        lane: the lane, which may have been in use before, or `None`.
    """
    token = LANE.set(lane)
    try:
        yield
    finally:
        LANE.reset(token)
