"""The mistakes that can be made in any exercise, or in several."""

from __future__ import annotations

from .verdict import Mistake

RAISES = Mistake(
    "raises",
    "an exception of your own code",
    ("Read its last line, and the line of your code that it names.",),
)
FORGOTTEN_AWAIT = Mistake(
    "forgotten_await",
    "a forgotten `await`",
    (
        "The call made a coroutine object, and nobody awaited it: nothing of it was run.",
        "Put `await` in front of the call.",
    ),
)
NESTED_LOOP = Mistake(
    "nested_loop",
    "a second loop inside the first",
    (
        "`asyncio.run` starts a loop, and one runs here already.",
        "Inside of `async def`, say `await` where you would say `asyncio.run`.",
    ),
)
STOPS_THE_LOOP = Mistake(
    "stops_the_loop",
    "a loop that is stopped for everybody",
    (
        "The loop that `stop` stops is the one on which all others run, too.",
        "Return, and let whoever started the loop stop it.",
    ),
)
EXITS = Mistake(
    "exits",
    "code that ends the whole program",
    ("A server that leaves ends for everybody. Return, or raise an exception, instead.",),
)
MISSING = Mistake(
    "missing",
    "a name that was changed, or is gone",
    ("Keep the name and the parameters that the exercise gave.",),
)
ENDLESS = Mistake(
    "endless",
    "a loop that does not end",
    (
        "The thread is at work all the time, and comes to no end.",
        "To wait for something, do not look again and again whether it is there.",
    ),
)
HOLDS = Mistake(
    "holds_the_loop",
    "a call that holds the loop",
    ("While this line waits, the thread waits with it, and nobody else is served.",),
)
TOO_LONG = Mistake(
    "too_long",
    "something that never comes to its end",
    ("Who is waiting for whom? Something that is waited for is never done.",),
)
RETURNED_TOO_EARLY = Mistake(
    "returned_too_early",
    "a `get` that returns before there is an answer, without a promise",
    (
        "Tornado takes the answer for complete when `get` returns. What tells it to wait?",
        "Return the future from `get`: `return self.done`.",
    ),
)
PROMISE_NOT_KEPT = Mistake(
    "promise_not_kept",
    "a promise that nobody fills",
    (
        "`write` puts words into the answer. What says that the answer is complete?",
        "Fill the future: `self.done.set_result(None)`.",
    ),
)
