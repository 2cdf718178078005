"""Three handlers, three films, and the line that is to blame."""

from __future__ import annotations

from classroom.examining.kinds import Choice
from classroom.examining.verdict import Mistake

find_blocking = Choice(
    __name__,
    {
        "films": {
            "a": Mistake(
                "thread_blamed",
                "a blocking call in a thread taken for one that holds the loop, and an `await` "
                "for politeness",
                (
                    "On which thread does `look_up` run in `Letters`, and on which in `Menu`?",
                    "`await self.ask(...)` runs `ask` on this thread, up to its first pause. "
                    "Where is one?",
                    "`run_in_executor` gives the call to another thread, and the loop is free "
                    "meanwhile.",
                ),
            ),
            "b": Mistake(
                "once_for_all",
                "a call that holds the loop once taken for one that does so each time",
                (
                    "How often is `look_up` called by `Rates`, with three visitors, and how "
                    "often by `Menu`?",
                    "A red bar is somebody's own call. Whoever waits behind it has no red of "
                    "their own.",
                ),
            ),
            "c": None,
            "d": Mistake(
                "free_memory",
                "a memory that fills itself",
                (
                    "`Rates` remembers. Who looks it up when there is nothing to remember yet, "
                    "and on which thread?",
                    "The first visitor holds the loop, and the others find it done. Which film "
                    "has one red bar?",
                ),
            ),
            "e": Mistake(
                "pause_is_polite",
                "a pause taken for politeness in all that follows it",
                (
                    "`Menu` pauses, and then? A pause lets go of the thread for as long as it "
                    "lasts, and no longer.",
                    "After their pauses, all three call `look_up` on the thread of the loop. "
                    "Which film has three red bars?",
                ),
            ),
        },
        "line": {
            "p": Mistake(
                "another_film",
                "a line that is to blame in another film",
                (
                    "Three visitors come to this line, each on the thread of the loop. How "
                    "many red bars does that give, and how many has film 1?",
                    "Grace has no red bar of her own in film 1. Whose bar is it, and from "
                    "which handler?",
                ),
            ),
            "q": Mistake(
                "a_thread_holds",
                "a thread that is waited for, taken for one that everybody waits for",
                (
                    "While another thread works, the loop is free and its heartbeat goes on. "
                    "Does it do so in film 1?",
                    "This line gives no red bar at all. Which handler has film 1?",
                ),
            ),
            "r": Mistake(
                "waits_at_the_if",
                "a visitor who waits at a line that she has not reached",
                (
                    "An `if` waits for nothing. When does Grace come to it?",
                    "While Ada has the thread, Grace's `get` has not begun. On which line does "
                    "Ada stand?",
                ),
            ),
            "s": None,
            "t": Mistake(
                "a_pause_holds",
                "a pause taken for a call that holds the loop",
                (
                    "Each of them pauses for 0.6 seconds. Where does the rest of Grace's time "
                    "come from?",
                    "Look at the heartbeat: it goes on during a pause. When does it stop?",
                ),
            ),
        },
    },
    "Film 1 is `Rates`: Ada pays for all, and Grace, who never calls `look_up`, pays with her. "
    "Film 2 is `Menu`: an `await` is polite only if what it awaits pauses. Film 3 is "
    "`Letters`: the same call, on another thread.",
    (
        "For each handler: how many of the three visitors call `look_up` on the loop's own "
        "thread?",
        "None, one and three. Now count the red bars.",
        "For `line`: while Grace waits for her turn, on which line does the visitor stand who "
        "has the thread?",
    ),
)
