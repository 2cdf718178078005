"""What one lane did, and when: asked, waited, had the thread, answered."""

from __future__ import annotations

from dataclasses import dataclass, field

from .lanes import Kind, Lane

# After an answer Tornado checks how the write ended, and twice how the handler ended, in steps
# of some microseconds. Drawn, they would look as if the handler went on.
TIDYING_STEPS = 3
TIDYING = 0.001  # seconds; such a step is shorter


@dataclass
class Timeline:
    """What a film saw of one lane; all times are in seconds of `time.perf_counter`.

    Attributes:
        name: what the film calls the lane.
        asked: when a visitor sent the request, if one said so.
        answered: when that visitor had the answer, if it came.
        lane: the lane, once a step was seen in it.
        steps: when each step in the lane began, and when it ended.
    """

    name: str
    asked: float | None = None
    answered: float | None = None
    lane: Lane | None = None
    steps: list[tuple[float, float]] = field(default_factory=list)

    @property
    def first_seen(self) -> float:
        """When it was asked, or had its first step, whichever came first."""
        times = [start for start, _ in self.steps[:1]]
        return min(times if self.asked is None else [self.asked, *times])

    def under_way(self, now: float) -> tuple[float, float] | None:
        """Return from when to when the handler was under way, if it ever was.

        Args:
            now: the end of the film, or the present while it is running.
        """
        if self.lane is None:
            return None
        start, end = self.steps[0][0], self.steps[-1][1]
        if self.lane.finished is not None:
            end = min(self.lane.finished, now)
        elif self.lane.kind is Kind.REQUEST:
            end = now
        return start, max(start, end)

    def waited(self, now: float) -> tuple[float, float]:
        """Return from when to when somebody waited for it.

        The wait ends when the handler finishes the answer. A visitor on the same loop notices
        it only when the loop is free again, but one in another process would notice at once.

        Args:
            now: the end of the film, or the present while it is running.
        """
        handled = self.under_way(now)
        if self.lane and self.lane.finished is not None:
            end = self.lane.finished
        elif self.answered is not None:
            end = self.answered
        elif handled and self.asked is None:
            end = handled[1]
        else:
            end = now
        return self.first_seen, min(end, now)

    def bars(self) -> list[tuple[float, float]]:
        """Return the steps to draw: all but those with which Tornado tidies up."""
        finished = self.lane.finished if self.lane else None
        if finished is None:
            return self.steps
        tidying = {
            start
            for start, end in [step for step in self.steps if step[0] > finished]
            if end - start < TIDYING
        }
        first = set(sorted(tidying)[:TIDYING_STEPS])
        return [step for step in self.steps if step[0] not in first]
