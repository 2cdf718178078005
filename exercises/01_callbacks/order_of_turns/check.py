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
                    "`riddle` runs to its end first: the loop has called it, and waits for it.",
                ),
            ),
            "b": Mistake(
                "source_order",
                "a box that remembers when its receiver was named",
                (
                    "At `add_future` the box is empty. What does the loop know of it then?",
                    "Its receiver goes into the queue when it is filled. Which line is that?",
                ),
            ),
            "c": None,
            "d": Mistake(
                "box_calls",
                "a full box that calls its receiver",
                (
                    "What did section 4 say of a full box?",
                    "`set_result` puts the receiver into the queue, and returns.",
                ),
            ),
        }
    },
    "First what runs, then the queue in the order in which it was filled. "
    "`order = []`, then `on_a_loop(riddle)`, then `order` shows it.",
)
