"""Several answers that come as they like, joined in the order of asking."""

from __future__ import annotations

import ast
import asyncio
from asyncio import Future
from typing import Any

from classroom.examining.case import Case, turns
from classroom.examining.kinds import code_exercise
from classroom.examining.rendering import shown
from classroom.examining.verdict import Mistake

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
    "a list where a promise was wanted",
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
        "When `join` returns, no answer has come. What is in the box all the same?",
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
)
async def join_in_order(case: Case) -> None:
    """Fill three futures from the last to the first, then join none at all."""
    join = case.function("join")

    case.tries("three futures are joined, and filled from the last to the first.")
    expected = "a future of ['b', 'c', 'a'], once the last one is filled"
    futures: list[Future[Any]] = [Future() for _ in range(3)]
    try:
        joined = join(list(futures))
    except asyncio.InvalidStateError as error:
        case.refuse(LOOKS_TOO_EARLY, expected, f"InvalidStateError ({case.line_of(error)})")
    if joined is None:
        case.refuse_if_anything_went_wrong(expected)
        case.refuse(NOTHING_RETURNED, expected, "None")
    if not isinstance(joined, Future):
        case.refuse(NO_PROMISE, expected, shown(joined))
    for number in (2, 1, 0):
        if joined.done():
            got = f"a future of {shown(_content(joined))} when {2 - number} of 3 were there"
            case.refuse(COUNTS_LAST_PLACE if number < 2 else FILLED_EARLY, expected, got)
        futures[number].set_result("bca"[number])
        await turns()
    found = _content(joined)
    if found != ["b", "c", "a"]:
        _why_not_joined(case, joined, found, expected)

    case.tries("three futures are joined, and filled with None, 0 and an empty text.")
    expected = "a future of [None, 0, '']"
    futures = [Future() for _ in range(3)]
    joined = join(list(futures))
    for future, value in zip(futures, (None, 0, ""), strict=True):
        future.set_result(value)
        await turns()
    case.refuse_if_anything_went_wrong(expected)
    if not isinstance(joined, Future) or _content(joined) != [None, 0, ""]:
        got = f"a future of {shown(_content(joined))}" if joined.done() else "nothing"
        case.refuse(VALUE_AS_SIGN, expected, got)

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
        case.refuse(None, expected, f"a future of {shown(_content(joined))}")


def _why_not_joined(case: Case, joined: Future[Any], found: Any, expected: str) -> None:
    got = f"a future of {shown(found)}" if joined.done() else "a future that is never filled"
    if isinstance(found, list | dict) and any(isinstance(each, Future) for each in found):
        case.refuse(BOXES, expected, got)
    if found == ["a", "c", "b"]:
        case.refuse(ORDER_OF_COMING, expected, got)
    if isinstance(found, list) and len(found) == 3 and found[:2] in ([None] * 2, ["c", "b"]):
        case.refuse(LATE_BINDING, expected, got)
    case.refuse_if_anything_went_wrong(expected)
    if not joined.done():
        late = case.uses(ast.Lambda, ast.FunctionDef, inside=ast.For)
        case.refuse(LATE_BINDING if late else NEVER_FILLED, expected, got)
    case.refuse(None, expected, got)


def _content(future: Future[Any]) -> Any:
    """Return what is in a future: its result, its exception, or nothing yet."""
    if not future.done():
        return None
    return future.exception() or future.result()
