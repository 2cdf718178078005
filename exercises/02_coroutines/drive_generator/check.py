"""A generator that asks, and who answers it."""

from __future__ import annotations

import inspect
from collections.abc import Generator, Sequence
from typing import Any

from classroom.examining.case import Case
from classroom.examining.kinds import code_exercise
from classroom.examining.mistakes import ASKS_TWICE, FALSE_FOR_NONE
from classroom.examining.rendering import described, shown
from classroom.examining.verdict import Mistake

MANY = 200

SENDS_NOTHING = Mistake(
    "sends_nothing",
    "a loop that asks for the next question and leaves the last one unanswered",
    (
        "What does a `yield` give to the generator when you go on with `for` or `next`?",
        "Both send it `None`. `steps.send(value)` sends it a value.",
    ),
)
VALUE_AT_THE_START = Mistake(
    "value_at_the_start",
    "an answer before the first question",
    (
        "At the start the generator stands at no `yield`. Who would receive the value?",
        "Begin with `next(steps)`, or with `steps.send(None)`, which is the same.",
    ),
)
EVERY_OTHER = Mistake(
    "every_other",
    "a question that `send` brought and nobody read",
    (
        "Which of the questions were never answered? Who received them?",
        "`send` also returns something: the next question. Keep it, and do not ask for it "
        "again with `next` or `for`.",
    ),
)
RETURN_LOST = Mistake(
    "return_lost",
    "a return value that is thrown away",
    (
        "All questions were answered. What the generator returned came with its end.",
        "The `StopIteration` carries it: `except StopIteration as end`, and then `end.value`.",
    ),
)
WHOLE_EXCEPTION = Mistake(
    "whole_exception",
    "the exception taken for what it brings",
    (
        "You return the messenger. Where is the message?",
        "`end.value` is what the generator returned.",
    ),
)
LETS_THROUGH = Mistake(
    "lets_through",
    "an end that looks like a failure",
    (
        "How does a generator say that it has returned?",
        "With a `StopIteration`. Catch it, and return its `value`.",
    ),
)
FIRST_OUTSIDE = Mistake(
    "first_outside",
    "a first step that nobody expected to be the last",
    (
        "A generator may return before it has asked anything. Which of your lines hears of it?",
        "Put the first step inside the `try` as well.",
    ),
)
FIXED_NUMBER = Mistake(
    "fixed_number",
    "a fixed number of steps",
    (
        "How many questions does your code answer? How many may there be?",
        "Only the generator knows. Go on in a loop, until it raises `StopIteration`.",
    ),
)
NOT_PLAIN = Mistake(
    "not_plain",
    "a function of which nothing is run",
    (
        "`interview` is called as a plain function. What do you get from a call of an "
        "`async def`, or of a function with `yield` in it?",
        "Leave it a plain `def` without `yield`: `next` and `send` are plain calls.",
    ),
)
HIDES_ERRORS = Mistake(
    "hides_errors",
    "an `except` that takes each exception for the end",
    (
        "A generator may fail before it returns. What does your `except` make of that?",
        "`except StopIteration as end` catches the end, and nothing else.",
    ),
)
OTHER_VALUE = Mistake(
    "other_value",
    "an answer that is made into something else",
    (
        "What has `answer` returned, and what does the generator receive?",
        "Send the answer as it is: `steps.send(answer(question))`.",
    ),
)


class _Interview:
    """A generator with some questions, and what came of it.

    Attributes:
        asked: the questions that were given to `answer`.
        wanted: what the generator should be sent, one value for each question.
        received: what it was sent.
        result: what the generator returns, or what it raises in the place of that.
    """

    def __init__(self, *questions: object, answers: Sequence[object] = ()) -> None:
        self.questions = questions
        self.wanted = [*answers] or [f"answer to {question}" for question in questions]
        self.asked: list[object] = []
        self.received: list[object] = []
        self.result: str | ValueError | None = f"the end of {len(questions)}"

    def steps(self) -> Generator[object, object, str | None]:
        """Ask each question, and keep what is sent."""
        for question in self.questions:
            self.received.append((yield question))
        if isinstance(self.result, ValueError):
            raise self.result
        return self.result

    def answer(self, question: object) -> object:
        """Answer a question."""
        # Whoever goes on for ever is not to fill the memory as well.
        if len(self.asked) <= MANY:
            self.asked.append(question)
        known = question in self.questions
        return self.wanted[self.questions.index(question)] if known else f"answer to {question}"

    @property
    def complete(self) -> bool:
        """Whether each question was asked once, and got its answer."""
        return self.asked == [*self.questions] and self.received == self.wanted


@code_exercise(
    (
        "`next(steps)` gives the first question. `steps.send(value)` answers it and gives the "
        "next one.",
        "How does the loop end? `go_on` in `engine` has the same trouble, and an `except` for "
        "it.",
        "`while True: question = steps.send(answer(question))`, inside a `try` that also "
        "holds the first step.",
    ),
    SENDS_NOTHING,
    VALUE_AT_THE_START,
    EVERY_OTHER,
    RETURN_LOST,
    WHOLE_EXCEPTION,
    LETS_THROUGH,
    FIRST_OUTSIDE,
    FIXED_NUMBER,
    NOT_PLAIN,
    HIDES_ERRORS,
    OTHER_VALUE,
    FALSE_FOR_NONE,
    ASKS_TWICE,
    another_way=(
        "Another right way: `next(steps)` gives the first question, as `steps.send(None)` "
        "does, and only answers are sent."
    ),
    known_by="next __next__",
    instead="Another right way: begin with `steps.send(None)`, and you need no `next`.",
)
async def drive_generator(case: Case) -> None:
    """Drive generators of three questions, of one, of none, and of many."""
    interview = case.function("interview")

    def drive(talk: _Interview) -> Any:
        try:
            return interview(talk.steps(), talk.answer)
        except StopIteration as end:
            # A StopIteration that leaves the checker, a coroutine, becomes a RuntimeError.
            return _Raised(f"StopIteration ({case.line_of(end)})")
        except TypeError as error:
            if "just-started" not in str(error):
                raise
            where = case.line_of(error)
            case.refuse(VALUE_AT_THE_START, expected, f"{described(error)} ({where})")

    case.tries("a generator asks three questions and returns a text.")
    talk = _Interview("one?", "two?", "three?")
    expected = f"each question gets its answer, and `interview` returns {talk.result!r}"
    _check(case, talk, drive(talk), expected)

    case.tries("a generator asks one question.")
    talk = _Interview("well?")
    expected = f"the question gets its answer, and `interview` returns {talk.result!r}"
    _check(case, talk, drive(talk), expected)

    case.tries("a generator asks nothing and returns a text.")
    talk = _Interview()
    expected = f"`interview` returns {talk.result!r}"
    _check(case, talk, drive(talk), expected)

    case.tries("a generator asks one question, and returns nothing.")
    talk = _Interview("well?")
    talk.result = None
    expected = "the question gets its answer, and `interview` returns None"
    _check(case, talk, drive(talk), expected)

    case.tries("a generator asks three questions: an empty text, 0 and None.")
    talk = _Interview("", 0, None)
    expected = f"each question gets its answer, and `interview` returns {talk.result!r}"
    _check(case, talk, drive(talk), expected)

    case.tries("a generator asks three questions, and the answers are 0, an empty list and 7.")
    talk = _Interview("how many?", "which?", "when?", answers=(0, [], 7))
    expected = f"each question gets its answer, and `interview` returns {talk.result!r}"
    _check(case, talk, drive(talk), expected)

    case.tries("a generator asks one question, and then raises a ValueError.")
    talk = _Interview("well?")
    talk.result = ValueError("no such answer")
    expected = "`interview` raises the ValueError"
    try:
        result = drive(talk)
    except Exception as error:
        if error is not talk.result:
            where = case.line_of(error)
            case.refuse(HIDES_ERRORS, expected, f"{described(error)} ({where})")
    else:
        case.refuse(HIDES_ERRORS, expected, f"`interview` returns {shown(result)}")

    case.tries(f"a generator asks {MANY} questions.")
    talk = _Interview(*(f"number {number}?" for number in range(MANY)))
    expected = f"each question gets its answer, and `interview` returns {talk.result!r}"
    _check(case, talk, drive(talk), expected)


class _Raised(str):
    """What was raised, where a result was wanted."""


def _check(case: Case, talk: _Interview, result: Any, expected: str) -> None:
    if talk.complete and result == talk.result:
        return
    got = result if isinstance(result, _Raised) else f"`interview` returns {shown(result)}"
    if not talk.complete:
        _why_not_answered(case, talk, result, expected, got)
    if isinstance(result, _Raised):
        case.refuse(LETS_THROUGH if talk.questions else FIRST_OUTSIDE, expected, got)
    if isinstance(result, StopIteration):
        case.refuse(WHOLE_EXCEPTION, expected, got)
    lost = (None, *talk.questions, *talk.wanted)
    case.refuse(RETURN_LOST if result in lost else None, expected, got)


def _why_not_answered(
    case: Case, talk: _Interview, result: Any, expected: str, got: str
) -> None:
    """Find out why not every question got its answer."""
    received, wanted = talk.received, talk.wanted
    outcome = f"the generator was sent {shown(received)}, and {got}"
    if inspect.isawaitable(result) or inspect.isgenerator(result):
        case.refuse(NOT_PLAIN, expected, got)
    case.refuse_if_anything_went_wrong(expected)
    twice = [each for each in talk.questions if talk.asked.count(each) > 1]
    if twice and None not in received:
        case.refuse(ASKS_TWICE, expected, f"`answer({twice[0]!r})` is called twice")
    if any(isinstance(each, int) for each in wanted) and len(received) == len(wanted):
        case.refuse(OTHER_VALUE, expected, outcome)
    if not all(wanted) or not any(talk.questions):
        case.refuse(FALSE_FOR_NONE, expected, outcome)
    if received and set(map(type, received)) == {type(None)}:
        case.refuse(SENDS_NOTHING, expected, outcome)
    if None in received:
        case.refuse(EVERY_OTHER, expected, outcome)
    stopped = received == wanted[: len(received)] and len(received) < len(wanted)
    began = bool(received or talk.asked)
    if stopped and began and not isinstance(result, _Raised):
        case.refuse(FIXED_NUMBER, expected, outcome)
    case.refuse(None, expected, outcome)
