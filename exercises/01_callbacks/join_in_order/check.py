"""Several answers that come as they like, joined in the order of asking."""

from __future__ import annotations

import ast
import asyncio
import inspect
from asyncio import Future
from collections.abc import Sequence
from typing import Any

from classroom.examining.case import Case, turns
from classroom.examining.clockwork import note_alarms
from classroom.examining.kinds import code_exercise, names
from classroom.examining.mistakes import CHANGES_THE_LIST, NOT_YOURS
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
    refuse_if_it_polls,
    refuse_if_it_yields,
    refuse_if_not_called,
)
from .mistakes import (
    BOXES,
    CALLED_AT_ONCE,
    COUNTS_LAST_PLACE,
    EMPTY_HANGS,
    FILLED_EARLY,
    FILLED_TWICE,
    FIXED_NUMBER,
    INSERTED,
    LATE_BINDING,
    LOOKS_TOO_EARLY,
    NEVER_FILLED,
    NO_LIST,
    NO_PLACE,
    NO_PROMISE,
    NOTHING_RETURNED,
    NUMBER_FOR_FUTURE,
    ORDER_OF_COMING,
    OTHER_ORDER,
    RETURNS_IN_LOOP,
    SHARED,
    TOO_FEW,
    VALUE_AS_SIGN,
    WRONG_BOX,
)


def _waits_in_turn(tree: ast.Module) -> bool:
    """Return whether no loop gives the futures their receivers, so that they do it in turn."""
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For | ast.ListComp)]
    asks = {"add_future", "add_done_callback"}
    return not asks.isdisjoint(names(tree)) and all(
        asks.isdisjoint(names(loop)) for loop in loops
    )


@code_exercise(
    (
        "Make the promise that you return, and a list with a place for each answer.",
        "Each future needs a receiver that knows its place: `partial(keep, number)`.",
        "The receiver that finds that all are there fills the promise.",
    ),
    ORDER_OF_COMING,
    OTHER_ORDER,
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
    known_by=_waits_in_turn,
    instead=(
        "Another right way: all futures get a receiver at once, which keeps the result under "
        "the future's number; the last that comes fills the list."
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
    given = list(futures)
    try:
        joined = join(given)
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
            last = number == 1 and case.uses(ast.Compare) and not _compares_lengths(case)
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
    if given != futures:
        got = f"{len(given)} of 3 futures stand in it afterwards"
        case.refuse(CHANGES_THE_LIST, "the list that was given stays as it is", got)

    case.tries("three futures are joined, and filled with None, 0 and an empty text.")
    expected = "a future of [None, 0, '']"
    futures = [Box() for _ in range(3)]
    joined = join(list(futures))
    _refuse_if_no_future(case, joined, expected)
    for future, value in zip(futures, (None, 0, ""), strict=True):
        future.set_result(value)
        await turns()
    _refuse_if_twice(case, SHARED, expected)
    case.refuse_if_anything_went_wrong(expected)
    found = _content(joined)
    if found != [None, 0, ""]:
        got = f"a future of {shown(found)}" if joined.done() else "nothing"
        texts = [repr(each) for each in found] if isinstance(found, list) else []
        kept = {"'a'", "'b'", "'c'"} & {*texts}
        if sorted(texts) == sorted(map(repr, (None, 0, ""))):
            case.refuse(OTHER_ORDER, expected, got)
        case.refuse(SHARED if kept else VALUE_AS_SIGN, expected, got)

    case.tries("two futures are joined, and both are filled in one turn of the loop.")
    expected = "a future of ['a', 'b'], which is filled once"
    futures = [Box(), Box()]
    joined = join(list(futures))
    _refuse_if_no_future(case, joined, expected)
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
    _refuse_if_no_future(case, joined, expected)
    await turns()
    case.refuse_if_anything_went_wrong(expected)
    if not joined.done():
        case.refuse(EMPTY_HANGS, expected, "a future that is never filled")
    if _content(joined) != []:
        case.refuse(NO_LIST, expected, f"a future of {shown(_content(joined))}")


def _compares_lengths(case: Case) -> bool:
    """Return whether the length of one thing is compared with that of another."""
    for node in ast.walk(case.tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if all(isinstance(s, ast.Call) and ast.unparse(s.func) == "len" for s in sides):
                return True
    return False


def _refuse_if_no_future(case: Case, joined: object, expected: str) -> None:
    if inspect.iscoroutine(joined):
        joined.close()
        # Also others than the learner have coroutine functions, such as `asyncio.wait`.
        own = case.uses(ast.AsyncFunctionDef)
        case.refuse(
            ASYNC_DEF if own else NO_PROMISE,
            expected,
            "a coroutine, of which nothing is run yet",
        )
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
        as_they_came = [*map(str, found)] == ["a", "c", "b"]
        mistake = ORDER_OF_COMING if as_they_came else OTHER_ORDER
        case.refuse(INSERTED if case.uses("insert") else mistake, expected, got)
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
