"""The mistakes that are made in this exercise."""

from __future__ import annotations

from classroom.examining.verdict import Mistake

UNHEARD = Mistake(
    "unheard",
    "an exception that nobody hears",
    (
        "The loop called `work_it_out`, so the loop got the exception. Who should have it?",
        "Catch it in `work_it_out`, and put it into the promise: "
        "`self.done.set_exception(error)`.",
    ),
)
TRY_ELSEWHERE = Mistake(
    "try_elsewhere",
    "a `try` around the note, and not around the work",
    (
        "`call_later` only leaves a note, and that goes well. When is `work_it_out` called, "
        "and by whom?",
        "`try` belongs into `work_it_out`, around the line that can fail.",
    ),
)
EXCEPT_FAILS = Mistake(
    "except_fails",
    "an `except` that fails itself",
    (
        "Your `try` has caught the division. What does the log say of the lines behind "
        "`except`?",
        "Put the exception into the promise, as it is: `self.done.set_exception(error)`.",
    ),
)
RUNS_ON = Mistake(
    "runs_on",
    "code that goes on after the exception",
    (
        "The client is told. And which line of yours is run after that?",
        "Return when the exception is in the box, or write the rest into `else`.",
    ),
)
CATCHES_ANOTHER = Mistake(
    "catches_another",
    "a `try` that waits for another exception",
    (
        "Compare the name behind `except` with the one in the log, and the lines inside "
        "`try` with the one that fails.",
        "`except Exception as error` catches them all.",
    ),
)
RAISED_TO_THE_LOOP = Mistake(
    "raised_to_the_loop",
    "an exception raised to somebody who is not there",
    (
        "`raise` hands it to the caller. Who called `work_it_out`?",
        "Do not raise it: put it into the promise with `self.done.set_exception(error)`.",
    ),
)
SWALLOWED = Mistake(
    "swallowed",
    "an exception that is caught and dropped",
    (
        "You caught it, and now nobody knows of it. The visitor still waits.",
        "Put it into the promise: `self.done.set_exception(error)`.",
    ),
)
TOLD_AS_SUCCESS = Mistake(
    "told_as_success",
    "a failure told with status 200",
    (
        "The visitor is a program. It reads the status, and 200 says that all is well.",
        "`self.done.set_exception(error)` makes a 500 of it.",
    ),
)
FILLED_TWICE = Mistake(
    "filled_twice",
    "a box that is filled twice",
    (
        "After the exception is in the box, something fills it a second time.",
        "Fill it with the result only where nothing was raised: before `except`, or in `else`.",
    ),
)
DONE_ELSEWHERE = Mistake(
    "done_elsewhere",
    "an answer that `get` works out itself",
    (
        "An exception in `get` goes to Tornado, which called it. Who calls `work_it_out`, and "
        "where does its exception go?",
        "Leave `get` as it was given: it only leaves a note. The division, and what becomes of "
        "its exception, stand in `work_it_out`.",
    ),
)
USES_HEARD = Mistake(
    "uses_heard",
    "the decorator that this exercise does without",
    (
        "`heard` carries the exception for you. What does it do, line by line?",
        "Take it away, and put `try` and `except` into `work_it_out` itself.",
    ),
)
ALWAYS_THE_SAME = Mistake(
    "always_the_same",
    "an answer that does not depend on how many people there are",
    (
        "Seven people and five get the same share. Where does your answer look at "
        "`self.people`?",
        "Divide by it: `120 / self.people`.",
    ),
)
ASKS_FIRST = Mistake(
    "asks_first",
    "a question in advance, and no `try`",
    (
        "You have thought of `people=0`. What becomes of an exception of which you have not "
        "thought?",
        "Put `try` around the lines that can fail, and every exception of theirs into the "
        "promise.",
    ),
)
DONE_TOO_EARLY = Mistake(
    "done_too_early",
    "a promise that is filled before the work is done",
    (
        "A box is filled once. What do you know of the division when you fill it?",
        "Divide first, then fill the box: with the exception, or with `None` if there is none.",
    ),
)
OTHER_STATUS = Mistake(
    "other_status",
    "another status than the one for a failure of the server",
    (
        "A status from 400 to 499 says that the client should ask in another way. Which one "
        "says that the server has failed?",
        "`self.done.set_exception(error)`, and Tornado makes a 500 of it.",
    ),
)
