"""A client that was made on one loop, and asks on the next."""

from __future__ import annotations

from classroom.examining.kinds import Choice
from classroom.examining.verdict import Mistake

other_loop = Choice(
    __name__,
    {
        "answer": {
            "a": Mistake(
                "all_loops_alike",
                "a client that is thought to know no loop",
                (
                    "Who wakes a question that stands in the client's line, when its time is "
                    "over?",
                    "The line needs a clock, and the clock is that of the loop on which the "
                    "client was made. What became of that loop?",
                ),
            ),
            "b": Mistake(
                "none_works",
                "a client that is thought to be useless at once",
                (
                    "It would be better so: you would notice at the first question. What does "
                    "the client need its own loop for?",
                    "It needs the loop's clock for the questions that stand in its line. How "
                    "many stand there when ten are asked?",
                ),
            ),
            "c": None,
            "d": Mistake(
                "waits_for_ever",
                "a question that is thought to wait in silence",
                (
                    "For whom or what would it wait? The client first gives it a deadline, by "
                    "a timer of its loop.",
                    "A loop that is closed takes no timers. What does it say to that?",
                ),
            ),
        }
    },
    "Up to ten questions go through. The eleventh stands in the client's line, and the line "
    "sets a timer on the loop on which the client was made, which is closed. So tests pass, "
    "and the program fails under load. Make what waits on the loop on which it is used: call "
    "`AsyncHTTPClient()` in the coroutine. On one loop it gives you the same client again.",
    (
        "What is different with the eleventh question? Section 5 says how many the client lets "
        "through.",
        "Whoever stands in the line has a deadline, the `connect_timeout`. Whose clock is it?",
    ),
)
