"""In which order things come that were left with the loop."""

from __future__ import annotations

from classroom.examining.kinds import Choice
from classroom.examining.verdict import Mistake

order_of_turns = Choice(
    __name__,
    {
        "answer": {
            "a": Mistake(
                "at_once",
                "calls that do their work at once",
                (
                    "Each of these lines only leaves a note. Who reads the notes, and when?",
                    "`script` runs to its end first: the loop has called it, and waits for it.",
                ),
            ),
            "b": Mistake(
                "timer_first",
                "a timer of zero seconds that overtakes the queue",
                (
                    "When does the loop look at the clock: before it has called what stands in "
                    "the queue, or after?",
                    "A timer that is due goes to the end of the queue. Section 3 has the run.",
                ),
            ),
            "c": None,
            "d": Mistake(
                "source_order",
                "a box that remembers when its receiver was named",
                (
                    "At `add_future` the box is empty. What does the loop know of it then?",
                    "Its receiver goes into the queue when it is filled. Which line is that?",
                ),
            ),
            "e": Mistake(
                "box_calls",
                "a full box that calls its receiver",
                (
                    "What did section 4 say of a full box?",
                    "`set_result` puts the receiver into the queue, and returns.",
                ),
            ),
        }
    },
    "First what runs, then the queue in the order in which it was filled, then the clock. "
    "`order = []`, then `on_a_loop(riddle)`, then `order` shows it.",
)
