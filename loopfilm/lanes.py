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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Kind(enum.Enum):
    """What a lane stands for."""

    GIVEN = "somebody gave it a name"
    REQUEST = "a request, and somebody waits for its answer"
    NAMED_TASK = "a task that somebody gave a name"
    TASK = "any other task"


class Lane:
    """One request, or one task.

    Two requests of one user are two lanes of one name, so lanes are compared by identity.

    Attributes:
        kind: what it stands for.
        finished: when the handler finished its answer, or the task had ended, in seconds of
            `time.perf_counter`; `None` before that, and for a task of which nothing is left.
        idle_since: when its last step until now ended, likewise; 0 before the first.
    """

    __slots__ = ("__weakref__", "_name", "finished", "idle_since", "kind")

    def __init__(
        self,
        name: str | Callable[[], str],
        kind: Kind = Kind.GIVEN,
        finished: float | None = None,
    ) -> None:
        """Make a lane without steps.

        Args:
            name: what to call it, or what says that when somebody asks.
            kind: what it stands for.
            finished: when the handler finished its answer.
        """
        self._name = name
        self.kind = kind
        self.finished = finished
        self.idle_since = 0.0

    @property
    def name(self) -> str:
        """What to call it."""
        if not isinstance(self._name, str):
            self._name = self._name()
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name


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
