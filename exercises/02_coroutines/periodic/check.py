"""A call that is to be made every second and takes longer than that."""

from __future__ import annotations

from classroom.examining.kinds import Choice
from classroom.examining.verdict import Mistake

periodic = Choice(
    __name__,
    {
        "answer": {
            "a": Mistake(
                "overlap",
                "calls that overlap, as they did before Tornado 6.2",
                (
                    "It was so for years. Today Tornado awaits what `tick` returns. When does "
                    "it set the clock again?",
                    "It sets the clock when a call has ended. So there are never two at once.",
                ),
            ),
            "b": Mistake(
                "made_up_for",
                "calls that pile up and are made up for",
                (
                    "A timer that is late rings once, and nobody counts how often it should "
                    "have rung.",
                    "What was missed is left out. The next call comes when the clock would "
                    "have rung anyway.",
                ),
            ),
            "c": Mistake(
                "from_the_end",
                "a period that is counted from the end of a call",
                (
                    "A loop of your own, with a sleep of one second at its end, would do that. "
                    "Here the clock rings at fixed times. Which?",
                    "It would ring at 1, 2, 3, 4 and so on. Leave out those that fall into a "
                    "call.",
                ),
            ),
            "d": None,
        }
    },
    "Calls that fall into a running one are skipped, and the next comes on the old grid. "
    "Before Tornado 6.2 a coroutine was not awaited, and they overlapped; they still do when "
    "`tick` starts a task and returns. To see it in a second or two, give a `tick` that takes "
    "0.25 seconds a period of 100, and let it append `time.monotonic()` to a list.",
    (
        "Two questions: may a second call begin while the first is under way? And from when on "
        "is the next second counted?",
    ),
)
