"""Two tabs that look serial, four times, and whose fault it is."""

from __future__ import annotations

from classroom.examining.kinds import Choice
from classroom.examining.verdict import Mistake

whose_fault = Choice(
    __name__,
    {
        "one": {
            "browser": Mistake(
                "one_kept_by_the_browser",
                "a browser that is blamed though it has sent both",
                (
                    "When does the second tab send, in the first row?",
                    "At once. What comes late is the next thing but one. Who has the request "
                    "by then?",
                ),
            ),
            "handler": Mistake(
                "one_kept_by_the_handler",
                "a handler that is blamed though both have begun",
                (
                    "When does the second `get` begin, in the first row?",
                    "At once, so the loop was free. The question left the handler, and came a "
                    "second later. Through what does it go?",
                ),
            ),
            "client": None,
            "backend": Mistake(
                "one_kept_by_the_backend",
                "a backend that is blamed for a question that it did not have",
                (
                    "When does the second question come to the backend, in the first row?",
                    "After a second; and then it is answered in a second, as the first was. "
                    "Where was it before?",
                ),
            ),
        },
        "two": {
            "browser": None,
            "handler": Mistake(
                "two_kept_by_the_handler",
                "a handler that is blamed for a request that had not been sent",
                (
                    "When does the second tab send, in the second row?",
                    "When the first is done. A handler cannot begin before that, whatever it "
                    "does. Who decides when a tab sends?",
                ),
            ),
            "client": Mistake(
                "two_kept_by_the_client",
                "a client that is blamed though nothing waited for it",
                (
                    "How long is it from the beginning of the second `get` to its question, in "
                    "the second row?",
                    "No time. What is late there is late from the very first column on.",
                ),
            ),
            "backend": Mistake(
                "two_kept_by_the_backend",
                "a backend that is blamed for a request that had not been sent",
                (
                    "How long does the second question stay at the backend, in the second row?",
                    "A second, as every question. It came late, since everything before it "
                    "came late. Which column is the first that is late?",
                ),
            ),
        },
        "three": {
            "browser": Mistake(
                "three_kept_by_the_browser",
                "a browser that is blamed though both requests had been sent",
                (
                    "When does the second tab send, in the third row?",
                    "At once. The request is at your server, and its `get` does not begin. "
                    "What does the server do in this second?",
                ),
            ),
            "handler": None,
            "client": Mistake(
                "three_kept_by_the_client",
                "a client that is blamed before anybody asked it",
                (
                    "Which comes first, the beginning of `get`, or its call of the client?",
                    "In the third row `get` itself begins late. Who had the thread until then?",
                ),
            ),
            "backend": Mistake(
                "three_kept_by_the_backend",
                "a backend that is blamed before anybody asked it",
                (
                    "Has the backend anything to do with when a `get` begins?",
                    "Only if somebody waits for it with the thread in hand. Whose mistake is "
                    "that?",
                ),
            ),
        },
        "four": {
            "browser": Mistake(
                "four_kept_by_the_browser",
                "a browser that is blamed though everything was sent at once",
                (
                    "Which is the first column that is late, in the fourth row?",
                    "The last. Until then the second tab was as quick as the first. Who had "
                    "both questions, and was in no hurry?",
                ),
            ),
            "handler": Mistake(
                "four_kept_by_the_handler",
                "a handler that is blamed though both questions had been asked",
                (
                    "When does the second question come to the backend, in the fourth row?",
                    "At once: your server has done all that it can, and waits for two answers.",
                ),
            ),
            "client": Mistake(
                "four_kept_by_the_client",
                "a client that is blamed though it let both through",
                (
                    "A client that keeps a question back has it. Who has it, in the last row?",
                    "The backend has both from the beginning, and answers one after the other.",
                ),
            ),
            "backend": None,
        },
    },
    "Note when each thing happens, at each place that a request passes. Look at the first at "
    "which the second is late, and at what it left just before; all that follows is late "
    "because of that.",
    (
        "Read a row from the left. Which is the first column in which the second tab is late?",
        "What is late there was in somebody's hands just before. In whose?",
    ),
)
