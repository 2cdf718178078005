"""Several answers that come as they like, joined in the order of asking."""

from __future__ import annotations

import ast
import asyncio
import inspect
from asyncio import Future
from collections.abc import Sequence
from typing import Any

from classroom.examining.case import Case, turns
from classroom.examining.kinds import code_exercise
from classroom.examining.mistakes import NOT_YOURS
from classroom.examining.rendering import shown
from classroom.examining.verdict import Mistake

from ..boxes import (
    ASYNC_DEF,
    BRACKETS,
    FIXED_TIME,
    POLLS,
    YIELDS,
    Box,
    handed_over,
    note_alarms,
    refuse_if_it_polls,
    refuse_if_it_yields,
    refuse_if_not_called,
)

ORDER_OF_COMING = Mistake(
    "order_of_coming",
    "answers in the order in which they came",
    (
        "`append` puts each answer behind those that came before it. Who asked first?",
        "Make a list of the right length, and give each receiver its own place in it.",
        "`partial(keep, number)` is a receiver that knows its number.",
    ),
)
LATE_BINDING = Mistake(
    "late_binding",
    "a function made in a loop that sees only the loop's last number",
    (
        "The function is called after the loop has ended. Which number does it see then?",
        "Bind the number when you make the function: `partial(keep, number)`, or "
        "`lambda full, number=number: ...`.",
    ),
)
LOOKS_TOO_EARLY = Mistake(
    "looks_too_early",
    "a look into a box that is still empty",
    (
        "`result()` does not wait: an empty box raises an exception.",
        "Name a receiver with `add_future`, and look when it is called.",
    ),
)
NO_PROMISE = Mistake(
    "no_promise",
    "something else where a promise was wanted",
    (
        "The answers do not exist yet when `join` returns. What stands for them until then?",
        "Make a `Future`, return it, and fill it when the last answer is there.",
    ),
)
NOTHING_RETURNED = Mistake(
    "nothing_returned",
    "a promise that is never handed over",
    (
        "What does a function give that has no `return`?",
        "`return joined`, at the end of `join` itself.",
    ),
)
FILLED_EARLY = Mistake(
    "filled_early",
    "a promise that is filled before the answers are there",
    (
        "How many answers have come when the box is filled, and what is in it?",
        "Let the receiver fill it that finds that all are there.",
    ),
)
BOXES = Mistake(
    "boxes",
    "the boxes, where what is in them was wanted",
    (
        "A receiver is called with the full future. Is that what the caller wants?",
        "`full.result()` takes the value out of it.",
    ),
)
VALUE_AS_SIGN = Mistake(
    "value_as_sign",
    "a value that is taken for a sign that nothing is there",
    (
        "Can somebody put `None` or 0 into a future? What does your code make of that?",
        "Count the answers that have come, or ask the futures: `future.done()`.",
    ),
)
EMPTY_HANGS = Mistake(
    "empty_hangs",
    "an empty list, for which nobody fills the promise",
    (
        "With no futures there is no last one, and so nobody who fills the promise.",
        "Fill it at once when `futures` is empty.",
    ),
)
NEVER_FILLED = Mistake(
    "never_filled",
    "a promise that nobody fills",
    (
        "Who knows that the last answer has come? Whoever keeps it can count.",
        "When all are there: `joined.set_result(results)`.",
    ),
)
COUNTS_LAST_PLACE = Mistake(
    "last_place",
    "the last one asked taken for the last one to come",
    (
        "The one that was asked last may come first.",
        "Count how many are there, not which one has come.",
    ),
)
CALLED_AT_ONCE = Mistake(
    "called_at_once",
    "a function that was called where it should be handed over",
    (
        "What stands inside the brackets of `add_future`: a function, or what it returned?",
        "With brackets behind its name it is called now. `partial(keep, number)` is a function "
        "that knows its number and has not been called.",
    ),
)
FILLED_TWICE = Mistake(
    "filled_twice",
    "a promise that is filled twice",
    (
        "All were filled in one turn. What does each receiver find when it is called?",
        "Count how many have been kept, or look whether `joined.done()` before you fill it.",
    ),
)
FIXED_NUMBER = Mistake(
    "fixed_number",
    "a number that fits one list only",
    (
        "How many futures may there be in the list?",
        "`len(futures)` says how many there are.",
    ),
)
SHARED = Mistake(
    "shared",
    "something of one call, kept where all calls find it",
    (
        "`join` is called a second time. What lies there from the first?",
        "Make it anew in each call: inside of `join`, and not in a default value either.",
    ),
)
NO_LIST = Mistake(
    "no_list",
    "something else where a list was wanted",
    (
        "What do you put into the box, and what is wanted?",
        "A list in the order of the futures: `[results[n] for n in range(len(futures))]`.",
    ),
)
INSERTED = Mistake(
    "inserted",
    "a place that moves when others come",
    (
        "What does `insert` do with a place behind the end of the list, and with what stood "
        "there already?",
        "Make a list of the right length first, and assign: `results[number] = ...`.",
    ),
)
RETURNS_IN_LOOP = Mistake(
    "returns_in_loop",
    "a `return` inside the loop",
    (
        "How many of the futures have a receiver when `join` returns?",
        "`return joined` stands behind the loop, as far to the left as `for`.",
    ),
)
TOO_FEW = Mistake(
    "too_few",
    "fewer answers than there are futures",
    (
        "How many futures were joined, and how many answers stand in the list?",
        "Name a receiver for each of them. `range(len(futures))` counts from 0 to the last.",
    ),
)
NO_PLACE = Mistake(
    "no_place",
    "a place in a list that is too short for it",
    (
        "How long is the list when the receiver puts something at its place?",
        "Make it as long as `futures` first, `[None] * len(futures)`, or take a dictionary.",
    ),
)
NUMBER_FOR_FUTURE = Mistake(
    "number_for_future",
    "the number in the place of the future",
    (
        "In which order does a `partial` hand over what it knows, and what it is called with?",
        "What it knows comes first: `partial(keep, number)` calls `keep(number, full)`.",
    ),
)
WRONG_BOX = Mistake(
    "wrong_box",
    "a receiver for another box than those that were given",
    (
        "Which boxes will somebody else fill, and which one have you named a receiver for?",
        "`add_future(future, ...)`, for each `future` of the list; `joined` you fill yourself.",
    ),
)


@code_exercise(
    (
        "Make the promise that you return, and a list with a place for each answer.",
        "Each future needs a receiver that knows its place: `partial(keep, number)`.",
        "The receiver that finds that all are there fills the promise.",
    ),
    ORDER_OF_COMING,
    LATE_BINDING,
    LOOKS_TOO_EARLY,
    NO_PROMISE,
    NOTHING_RETURNED,
    FILLED_EARLY,
    BOXES,
    VALUE_AS_SIGN,
    EMPTY_HANGS,
    NEVER_FILLED,
    COUNTS_LAST_PLACE,
    CALLED_AT_ONCE,
    FILLED_TWICE,
    FIXED_NUMBER,
    SHARED,
    NO_LIST,
    INSERTED,
    RETURNS_IN_LOOP,
    TOO_FEW,
    NO_PLACE,
    NUMBER_FOR_FUTURE,
    WRONG_BOX,
    BRACKETS,
    NOT_YOURS,
    POLLS,
    FIXED_TIME,
    ASYNC_DEF,
    YIELDS,
    another_way=(
        "Another right way: each receiver names the one of the next future; all answers are "
        "under way already, so it takes no longer, and the list grows in order."
    ),
)
async def join_in_order(case: Case) -> None:
    """Fill three futures from the last to the first, then two in one turn, then join none."""
    join = case.function("join")
    refuse_if_it_yields(case, join)
    alarms = note_alarms()

    case.tries("three futures are joined, and filled from the last to the first.")
    expected = "a future of ['b', 'c', 'a'], once the last one is filled"
    futures = [Box() for _ in range(3)]
    try:
        joined = join(list(futures))
    except asyncio.InvalidStateError as error:
        got = f"InvalidStateError ({case.line_of(error)})"
        case.refuse(
            CALLED_AT_ONCE if handed_over(case.tree) else LOOKS_TOO_EARLY, expected, got
        )
    if joined is None:
        case.refuse_if_anything_went_wrong(expected)
        case.refuse(NOTHING_RETURNED, expected, "None")
    _refuse_if_no_future(case, joined, expected)
    await turns()
    if joined in futures:
        case.refuse(NOT_YOURS, expected, "one of the three futures itself")
    _refuse_if_filled(case, futures, expected)
    if not joined.done():
        await refuse_if_it_polls(case, futures, "the loop calls a receiver")
    for number in (2, 1, 0):
        if joined.done():
            got = f"a future of {shown(_content(joined))} when {2 - number} of 3 were there"
            last = number == 1 and case.uses(ast.Compare)
            case.refuse(COUNTS_LAST_PLACE if last else FILLED_EARLY, expected, got)
        futures[number].set_result("bca"[number])
        await turns()
    found = _content(joined)
    if found != ["b", "c", "a"]:
        _why_not_joined(case, futures, joined, expected)
        if alarms and not any(future.receivers for future in futures):
            case.refuse(FIXED_TIME, expected, _in_words(joined))
        case.refuse(None if joined.done() else NEVER_FILLED, expected, _in_words(joined))
    _refuse_if_twice(case, FILLED_TWICE, expected)

    case.tries("three futures are joined, and filled with None, 0 and an empty text.")
    expected = "a future of [None, 0, '']"
    futures = [Box() for _ in range(3)]
    joined = join(list(futures))
    for future, value in zip(futures, (None, 0, ""), strict=True):
        future.set_result(value)
        await turns()
    _refuse_if_twice(case, SHARED, expected)
    case.refuse_if_anything_went_wrong(expected)
    if not isinstance(joined, Future) or _content(joined) != [None, 0, ""]:
        got = f"a future of {shown(_content(joined))}" if joined.done() else "nothing"
        kept = {"a", "b", "c"} & {
            each for each in _content(joined) or () if isinstance(each, str)
        }
        if sorted(map(repr, _content(joined) or ())) == sorted(map(repr, (None, 0, ""))):
            case.refuse(ORDER_OF_COMING, expected, got)
        case.refuse(SHARED if kept else VALUE_AS_SIGN, expected, got)

    case.tries("two futures are joined, and both are filled in one turn of the loop.")
    expected = "a future of ['a', 'b'], which is filled once"
    futures = [Box(), Box()]
    joined = join(list(futures))
    for future, value in zip(futures, "ab", strict=True):
        future.set_result(value)
    await turns()
    _refuse_if_twice(case, FILLED_TWICE, expected)
    case.refuse_if_anything_went_wrong(expected)
    if _content(joined) != ["a", "b"]:
        case.refuse(FIXED_NUMBER, expected, _in_words(joined))

    case.tries("no futures at all are joined.")
    expected = "a future of []"
    joined = join([])
    await turns()
    case.refuse_if_anything_went_wrong(expected)
    if not isinstance(joined, Future):
        case.refuse(NO_PROMISE, expected, shown(joined))
    if not joined.done():
        case.refuse(EMPTY_HANGS, expected, "a future that is never filled")
    if _content(joined) != []:
        case.refuse(NO_LIST, expected, f"a future of {shown(_content(joined))}")


def _refuse_if_no_future(case: Case, joined: object, expected: str) -> None:
    if inspect.iscoroutine(joined):
        joined.close()
        case.refuse(ASYNC_DEF, expected, "a coroutine, of which nothing is run yet")
    if not isinstance(joined, Future):
        case.refuse_if_anything_went_wrong(expected)
        case.refuse(NO_PROMISE, expected, shown(joined))


def _refuse_if_filled(case: Case, futures: Sequence[Box], expected: str) -> None:
    if any(future.done() for future in futures):
        case.refuse(
            NOT_YOURS, expected, "your code fills, or cancels, one of the three futures"
        )


def _refuse_if_twice(case: Case, mistake: Mistake, expected: str) -> None:
    for error in case.errors:
        if error.text == "InvalidStateError: invalid state":
            case.refuse(mistake, expected, str(error))


def _why_not_joined(
    case: Case, futures: Sequence[Box], joined: Future[Any], expected: str
) -> None:
    got, found = _in_words(joined), _content(joined)
    receivers = [future.receivers for future in futures]
    if isinstance(found, list | dict) and any(isinstance(each, Future) for each in found):
        case.refuse(BOXES, expected, got)
    if isinstance(found, dict | tuple) or inspect.isgenerator(found):
        case.refuse(NO_LIST, expected, got)
    if isinstance(found, list) and set(map(str, found)) == {"a", "b", "c"}:
        case.refuse(INSERTED if case.uses("insert") else ORDER_OF_COMING, expected, got)
    if isinstance(found, list) and len(found) == 3 and found[:2] in ([None] * 2, ["c", "b"]):
        case.refuse(LATE_BINDING, expected, got)
    if isinstance(found, list) and len(found) < 3:
        case.refuse(TOO_FEW, expected, got)
    _refuse_if_twice(case, FILLED_TWICE, expected)
    for error in case.errors:
        if error.text.startswith("IndexError: list assignment"):
            case.refuse(NO_PLACE, expected, str(error))
        if error.text == "AttributeError: 'int' object has no attribute 'result'":
            case.refuse(NUMBER_FOR_FUTURE, expected, str(error))
        if "Result is not" in error.text:
            last = receivers == [0, 0, 1]
            case.refuse(COUNTS_LAST_PLACE if last else LOOKS_TOO_EARLY, expected, str(error))
    case.refuse_if_anything_went_wrong(expected)
    if not joined.done():
        refuse_if_not_called(case, expected)
        if case.uses("add_future", "add_done_callback") and not any(receivers):
            case.refuse(WRONG_BOX, expected, got)
        if receivers == [1, 0, 0] and case.uses(ast.Return, inside=ast.For):
            case.refuse(RETURNS_IN_LOOP, expected, got)
        if case.uses(ast.Lambda, ast.FunctionDef, inside=ast.For):
            case.refuse(LATE_BINDING, expected, got)


def _in_words(joined: Future[Any]) -> str:
    """Return what became of a future, in words."""
    if not joined.done():
        return "a future that is never filled"
    return f"a future of {shown(_content(joined))}"


def _content(future: Future[Any]) -> Any:
    """Return what is in a future: its result, its exception, or nothing yet."""
    if not future.done() or future.cancelled():
        return None
    return future.exception() or future.result()
