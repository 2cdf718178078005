"""Two tabs of one browser that seem to be served one after another."""

from __future__ import annotations

from classroom.examining.kinds import Choice
from classroom.examining.verdict import Mistake

two_tabs = Choice(
    __name__,
    {
        "answer": {
            "a": Mistake(
                "the_handler",
                "a handler that is blamed for what it does not do",
                (
                    "A handler that holds the loop holds it for everybody. What did the two "
                    "browsers see?",
                    "They were served at once, by the same handler. What differs is who asks.",
                ),
            ),
            "b": None,
            "c": Mistake(
                "one_connection",
                "a browser with a single connection",
                (
                    "Then `?x=1` and `?x=2` would have to wait for each other as well. Do "
                    "they?",
                    "A browser opens several connections to a server. What do the two tabs ask "
                    "for that is the same?",
                ),
            ),
            "d": Mistake(
                "one_visitor_at_a_time",
                "a server that serves a visitor's requests one by one",
                (
                    "With `?x=1` and `?x=2` it is the same visitor, too. How is she served "
                    "then?",
                    "Tornado does not ask who sends a request. So the second one cannot have "
                    "come to it. Who keeps it?",
                ),
            ),
        }
    },
    "The browser hopes to need no second request, if the first answer can be kept, so it "
    "waits. Visit your own server with two browsers, with `?x=1` and `?x=2`, or with a client "
    "of your own.",
    (
        "What is the same in the two requests that wait for each other, and differs in those "
        "that do not?",
        "The server has the same loop and the same handler each time. Who else is there?",
    ),
)
