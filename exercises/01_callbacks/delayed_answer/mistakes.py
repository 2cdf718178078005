"""The mistakes that are made in this exercise."""

from __future__ import annotations

from classroom.examining.verdict import Mistake

HOLDS = Mistake(
    "holds_the_loop",
    "a call that holds the loop",
    (
        "While that line runs, nobody else is served and no timer rings.",
        "Do not wait for it. Leave a note for the loop with `add_future` or `call_later`, and "
        "return.",
    ),
)
CALLED_AT_ONCE = Mistake(
    "called_at_once",
    "a function that was called where it should be handed over",
    (
        "What stands inside the brackets of `call_later` and `add_future`: a function, or "
        "what it returned?",
        "With brackets behind its name it is called now. Leave them away: `self.on_deadline`.",
    ),
)
FILLS_THE_NEWS = Mistake(
    "fills_the_news",
    "a box that is filled by somebody who did not promise it",
    (
        "`self.news` belongs to somebody else, and other visitors wait for it too. Which box "
        "is yours?",
        "Leave `self.news` alone: do not fill it. To end the request, fill `self.done`.",
    ),
)
CANCELS_THE_NEWS = Mistake(
    "cancels_the_news",
    "a box that is cancelled by somebody to whom it does not belong",
    (
        "`self.news` belongs to somebody else, and other visitors wait for it too. What "
        "becomes of them when it is cancelled?",
        "Leave `self.news` alone: do not cancel it, as `asyncio.wait_for` does when its time "
        "is over. To end the request, fill `self.done`; `add_future` and `asyncio.wait` only "
        "wait for a box.",
    ),
)
RETURNS_THE_NEWS = Mistake(
    "returns_the_news",
    "the wrong promise",
    (
        "Tornado waits for the box that `get` returns. Is that full when the deadline is over?",
        "Make a box of your own, return it, and fill it in both cases.",
    ),
)
DEADLINE_AS_ERROR = Mistake(
    "deadline_as_error",
    "a deadline that is told as an exception",
    (
        "Somebody waits for a text. What does Tornado make of an exception?",
        "Write `too late`, and fill the promise with `None`.",
    ),
)
BOX_IN_A_BOX = Mistake(
    "box_in_a_box",
    "the box taken for the value in it",
    (
        "The loop calls a receiver with the full future, not with its value.",
        "`.result()` takes the value out of it.",
    ),
)
NO_ALARM = Mistake(
    "no_alarm",
    "an alarm that was never set",
    (
        "Who tells the visitor that the news did not come?",
        "Let the clock do it: `call_later` with `self.deadline`, in `get`.",
    ),
)
NEWS_AT_THE_DEADLINE = Mistake(
    "news_at_the_deadline",
    "news that is read only when the alarm rings",
    (
        "Who tells you that the news is there? It may come long before the alarm.",
        "Name a receiver with `add_future`, in `get`.",
    ),
)
ALARM_RINGS_ON = Mistake(
    "alarm_rings_on",
    "an alarm that rings although all is well",
    (
        "The news came, and later the alarm rang all the same. Both callbacks set out to "
        "answer.",
        "Keep what `call_later` returns, and give it to `remove_timeout` when the news comes. "
        "Or look at `self.done.done()` before you fill it.",
    ),
)
ALARM_IN_ONE_TURN = Mistake(
    "alarm_in_one_turn",
    "an alarm that rings in the moment in which the news is answered",
    (
        "The news came first and was answered, and the alarm was the next one in the queue. "
        "Does the method that was called second look before it writes?",
        "Look at `self.done.done()` in `on_deadline` too; or take the alarm back in `on_news`. "
        "`on_finish` is called a little later, when the alarm has rung.",
    ),
)
NEWS_TOO_LATE = Mistake(
    "news_too_late",
    "news that comes after the deadline, and is answered a second time",
    (
        "The visitor was told that it is too late; then the news came after all.",
        "Look at `self.done.done()` in `on_news`: with a full box there is nothing to do.",
    ),
)
LOOKS_TOO_EARLY = Mistake(
    "looks_too_early",
    "a look into a box that is still empty",
    (
        "`result()` does not wait: an empty box raises an exception. When is that line run?",
        "Have the loop call `on_news` when the box is full: `add_future(self.news, "
        "self.on_news)`.",
    ),
)
WRONG_BOX = Mistake(
    "wrong_box",
    "a receiver for another box than the one with the news",
    (
        "There are two boxes, yours and the one with the news. Which of them will somebody "
        "else fill, and which one have you named a receiver for?",
        "`add_future(self.news, self.on_news)`: `self.done` is the one that you fill.",
    ),
)
MILLISECONDS = Mistake(
    "milliseconds",
    "milliseconds where seconds are wanted",
    (
        "How long is the time that you give to the clock, and in what is it counted?",
        "`call_later` counts seconds, and so does `self.deadline`.",
    ),
)
TIME_FOR_DURATION = Mistake(
    "time_for_duration",
    "a point in time taken for a duration",
    (
        "`call_later` counts from now on. How much later is `loop.time() + self.deadline`?",
        "`call_later(self.deadline, ...)`; it is `add_timeout` that wants a point in time.",
    ),
)
LOOKS_AT_FINISHED = Mistake(
    "looks_at_finished",
    "a look at `_finished`, which comes true a little later",
    (
        "You fill the promise, and the other callback is the next one in the queue. Has "
        "Tornado sent the answer by then?",
        "Look at your own box, which is full at once: `self.done.done()`.",
    ),
)
HIDES_THE_SECOND = Mistake(
    "hides_the_second",
    "an `except` that hides a second answer",
    (
        "The second callback has failed, and nobody hears of it. What had it done before?",
        "Do not let it begin: look at `self.done.done()`, and return if the box is full.",
    ),
)
DONE_TOO_EARLY = Mistake(
    "done_too_early",
    "a promise that is filled before the answer is written",
    (
        "When do you fill the promise, and what has been written by then?",
        "Fill it where the answer is written: in `on_news` and in `on_deadline`.",
    ),
)
OTHER_THREAD = Mistake(
    "other_thread",
    "an answer that is written on another thread",
    (
        "The loop, and all that belongs to it, lives on one thread. On which one does your "
        "alarm call?",
        "Have the loop call: `call_later` does so on its own thread.",
    ),
)
SHARED = Mistake(
    "shared",
    "something of one request, kept where all requests find it",
    (
        "Three people wait at once. Whose promise lies there when the third has come?",
        "What belongs to a request is kept in `self`, which is another one for each.",
    ),
)
