"""A handler that writes faster than its visitor can read."""

from __future__ import annotations

from classroom.examining.kinds import Choice
from classroom.examining.verdict import Mistake

back_pressure = Choice(
    __name__,
    {
        "answer": {
            "a": Mistake(
                "flush_blocks",
                "a `flush` that is thought to hold the thread",
                (
                    "Then everybody else would wait for her slow line. What does a call give "
                    "back that does not block, and is not done?",
                    "`flush` gives back a future, at once. Who waits for it here?",
                ),
            ),
            "b": None,
            "c": Mistake(
                "network_keeps_it",
                "a network that is thought to keep what does not fit",
                (
                    "The system takes some of it, and then says that it takes no more. How "
                    "much is a thousand megabytes beside that?",
                    "The systems at both ends keep a few megabytes. Who keeps the rest?",
                ),
            ),
            "d": Mistake(
                "flush_drops",
                "a `flush` that is thought to drop what does not fit",
                (
                    "She gets every page, in the end. So who keeps them until then?",
                    "What the system does not take yet, Tornado keeps for later. Where?",
                ),
            ),
        }
    },
    "With `await self.flush()` the handler pauses until the system has taken the page, and "
    "writes the next one then: the memory holds a page, not the report. This is called back "
    "pressure, and it is the same wherever something is written: who does not wait for the "
    "slow end keeps it all.",
    (
        "`self.flush()` is a call of something that may be awaited, and nobody awaits it. How "
        "long does the loop of `get` take then?",
        "After a moment, all of the pages have been written. Where to?",
    ),
)
