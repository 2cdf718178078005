"""An exception in a callback, and the client who waits."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable
from types import FrameType
from typing import Any

from tornado.concurrent import Future
from tornado.web import Application, RequestHandler

from classroom.examining.case import Case, turns
from classroom.examining.evidence import YOUR_CODE
from classroom.examining.kinds import code_exercise
from classroom.examining.mistakes import (
    HOLDS,
    LEFT_WAITING,
    PROMISE_NOT_KEPT,
    RETURNED_TOO_EARLY,
)
from classroom.examining.rendering import answers_in_words
from loopfilm import NO_ANSWER, Answer

from ..boxes import (
    ANOTHER_PROMISE,
    ASYNC_DEF,
    BRACKETS,
    CANCELLED,
    NOTHING_WRITTEN,
    YIELDS,
    fills_another_promise,
    is_async_for_nothing,
    note_promises,
    refuse_if_cancelled,
    refuse_if_it_yields,
    refuse_if_left_waiting,
    refuse_if_not_called,
)
from .mistakes import (
    ALWAYS_THE_SAME,
    ASKS_FIRST,
    CATCHES_ANOTHER,
    DONE_ELSEWHERE,
    DONE_TOO_EARLY,
    EXCEPT_FAILS,
    FILLED_TWICE,
    OTHER_STATUS,
    RAISED_TO_THE_LOOP,
    RUNS_ON,
    SWALLOWED,
    TOLD_AS_SUCCESS,
    TRY_ELSEWHERE,
    UNHEARD,
    USES_HEARD,
)


class Unforeseen(Exception):
    """What no cell can name: it has to catch whatever goes wrong."""


class _Trouble(int):
    """A number by which nothing can be divided, although it is not 0."""

    def __rtruediv__(self, other: object) -> float:
        raise Unforeseen("nothing can be divided by this one")

    __rfloordiv__ = __rtruediv__  # type: ignore[assignment]


@code_exercise(
    (
        "Write the two lines that work it out, and run the check: what becomes of people=0?",
        "Put `try` around the line that can fail, in `work_it_out`.",
        "`set_exception` puts an exception into the promise that the request waits for.",
    ),
    UNHEARD,
    PROMISE_NOT_KEPT,
    RETURNED_TOO_EARLY,
    TRY_ELSEWHERE,
    EXCEPT_FAILS,
    RUNS_ON,
    CATCHES_ANOTHER,
    RAISED_TO_THE_LOOP,
    SWALLOWED,
    TOLD_AS_SUCCESS,
    FILLED_TWICE,
    DONE_ELSEWHERE,
    USES_HEARD,
    ALWAYS_THE_SAME,
    ASKS_FIRST,
    DONE_TOO_EARLY,
    OTHER_STATUS,
    LEFT_WAITING,
    NOTHING_WRITTEN,
    ANOTHER_PROMISE,
    BRACKETS,
    CANCELLED,
    ASYNC_DEF,
    YIELDS,
    another_way=(
        "Another right way: set the status to 500 by hand, write a sentence, and fill the "
        "promise with `None`."
    ),
    known_by="set_status send_error",
    instead=(
        "Another right way: put the error into the promise, with `set_exception`; Tornado sets "
        "the status to 500 itself, and its log tells what went wrong."
    ),
)
async def carry_error(case: Case) -> None:
    """Divide by seven, by five, by nothing, and by what is not to be divided by."""
    handler = case.handler("Share")
    refuse_if_it_yields(case, handler.get, getattr(handler, "work_it_out", None))
    called, promises = _watch(handler), note_promises(handler)
    app = Application([(r"/share", handler)])

    case.tries("seven people want to know their share.")
    share = {"share": 120 / 7}
    expected = f"200 and {share}."
    film = await case.visits(app, ["/share?people=7"])
    got = answers_in_words(film.answers)
    case.refuse_if_held(film, HOLDS, expected)
    if film.answers == [Answer(200, "")]:
        if is_async_for_nothing(case, "get"):
            case.refuse(ASYNC_DEF, expected, got)
        if not case.uses(ast.Return, inside="get"):
            case.refuse(RETURNED_TOO_EARLY, expected, got)
    case.refuse_if_anything_went_wrong(expected)
    if film.answers == [Answer(200, "")]:
        case.refuse(NOTHING_WRITTEN, expected, got)
    if film.answers[0].status == NO_ANSWER:
        refuse_if_not_called(case, expected)
        other = ANOTHER_PROMISE if fills_another_promise(case.tree) else PROMISE_NOT_KEPT
        case.refuse(other, expected, got)
    if film.answers != [Answer(200, share)]:
        case.refuse(None, expected, got)
    refuse_if_left_waiting(case, promises, expected)
    _refuse_if_done_elsewhere(case, called)

    case.tries("five people want to know it.")
    film = await case.visits(app, ["/share?people=5"])
    got = answers_in_words(film.answers)
    if film.answers == [Answer(200, share)]:
        case.refuse(ALWAYS_THE_SAME, f"200 and {{'share': {120 / 5}}}.", got)
    if film.answers != [Answer(200, {"share": 120 / 5})]:
        case.refuse(None, f"200 and {{'share': {120 / 5}}}.", case.with_error(got))

    case.tries("nobody wants to know it: people=0.")
    called.clear()
    expected = "500, at once, and nothing else goes wrong"
    film = await case.visits(app, ["/share?people=0"])
    await turns()
    got, status = answers_in_words(film.answers), film.answers[0].status
    heard = [error.logged for error in case.errors]
    refuse_if_cancelled(case, expected, got)
    if any("InvalidStateError" in error.text for error in case.errors):
        twice = DONE_TOO_EARLY if status == 200 else FILLED_TWICE
        case.refuse(twice, expected, case.with_error(got, "InvalidStateError"))
    if status == NO_ANSWER and "Exception in callback" in heard:
        got = case.with_error(got)
        if case.uses(ast.Raise, inside="work_it_out"):
            case.refuse(RAISED_TO_THE_LOOP, expected, got)
        tries = case.uses(ast.Try, inside="work_it_out")
        if tries and not case.errors[-1].text.startswith("ZeroDivisionError"):
            case.refuse(EXCEPT_FAILS, expected, got)
        if tries:
            case.refuse(CATCHES_ANOTHER, expected, got)
        elsewhere = case.uses("call_later", inside=ast.Try)
        case.refuse(TRY_ELSEWHERE if elsewhere else UNHEARD, expected, got)
    if status == NO_ANSWER:
        refuse_if_not_called(case, expected)
        case.refuse(SWALLOWED, expected, got)
    if status == 200:
        case.refuse(TOLD_AS_SUCCESS, expected, got)
    if status != 500:
        case.refuse(OTHER_STATUS, expected, got)
    if "Exception in callback" in heard:
        case.refuse(RUNS_ON, expected, case.with_error(got, "Exception in callback"))
    refuse_if_left_waiting(case, promises, expected)
    if not called and case.uses(ast.If, inside="get"):
        case.refuse(ASKS_FIRST, "the loop calls `work_it_out`", "`get` answers by itself")
    _refuse_if_done_elsewhere(case, called)
    if _uses_heard(case.tree):
        case.refuse(USES_HEARD, "the exception is carried by hand", "your cell uses `heard`")

    case.tries("`self.people` is a number that is not 0, and the division fails all the same.")
    expected = "500, at once"
    film = await case.visits(_with_trouble(handler), ["/share?people=3"])
    if film.answers[0].status == NO_ANSWER:
        catches = case.uses(ast.Try, inside="work_it_out")
        got = case.with_error(answers_in_words(film.answers))
        case.refuse(CATCHES_ANOTHER if catches else ASKS_FIRST, expected, got)


def _with_trouble(handler: Any) -> Application:
    class Trouble(handler):  # type: ignore[misc]
        people: Any

        def get(self, *args: Any, **settings: Any) -> Any:
            promise = super().get(*args, **settings)
            self.people = _Trouble(3)
            return promise

    return Application([(r"/share", Trouble)])


def _watch(handler: type[RequestHandler]) -> list[str]:
    """Have a handler note each call of `work_it_out`.

    Returns:
        What is noted: for each call what was amiss when it came, or nothing.
    """
    called: list[str] = []
    original: Callable[..., Any] | None = getattr(handler, "work_it_out", None)
    if not inspect.isfunction(original):
        return called

    @functools.wraps(original)
    def work_it_out(self: RequestHandler, *args: Any, **kwargs: Any) -> Any:
        filled = any(isinstance(v, Future) and v.done() for v in vars(self).values())
        if _in_get(inspect.currentframe()):
            called.append("`get` calls `work_it_out`, and the loop does not")
        elif filled or self._finished or self._write_buffer:
            called.append("the answer is there before the loop calls `work_it_out`")
        else:
            called.append("")
        return original(self, *args, **kwargs)

    handler.work_it_out = work_it_out  # type: ignore[attr-defined]
    return called


def _in_get(frame: FrameType | None) -> bool:
    while frame:
        if frame.f_code.co_name == "get" and frame.f_code.co_filename == YOUR_CODE:
            return True
        frame = frame.f_back
    return False


def _refuse_if_done_elsewhere(case: Case, called: list[str]) -> None:
    """Refuse an answer that did not come out of a callback of the loop."""
    expected = "the loop calls `work_it_out`, and that works the answer out"
    if not called:
        case.refuse(DONE_ELSEWHERE, expected, "there is an answer without `work_it_out`")
    if called[0]:
        case.refuse(DONE_ELSEWHERE, expected, called[0])
    if case.uses(ast.Div, inside="get"):
        case.refuse(DONE_ELSEWHERE, expected, "`get` divides")


def _uses_heard(tree: ast.Module) -> bool:
    """Return whether the `heard` of `callbacks.py` is used, and not one's own of that name."""
    own = any(
        isinstance(node, ast.FunctionDef) and node.name == "heard" for node in ast.walk(tree)
    )
    for node in ast.walk(tree):
        match node:
            case ast.alias(name="heard") | ast.Attribute(attr="heard"):
                return True
            case ast.Name(id="heard") if not own:
                return True
    return False
