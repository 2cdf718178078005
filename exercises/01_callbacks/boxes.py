"""What the exercises share in which a function waits for futures that it was given."""

from __future__ import annotations

import ast
import asyncio
import functools
import inspect
import sys
from asyncio import Future
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from tornado.web import RequestHandler

from classroom.examining.case import Case
from classroom.examining.evidence import YOUR_CODE
from classroom.examining.mistakes import LEFT_WAITING
from classroom.examining.rendering import quoted
from classroom.examining.verdict import Mistake

POLLS = Mistake(
    "polls",
    "code that looks again and again whether something is there",
    (
        "There is nothing to do but to wait, and your code comes back to look, again and "
        "again. Who could tell you instead?",
        "Name a receiver, once: `add_future` has it called when the box is full.",
    ),
)
FIXED_TIME = Mistake(
    "fixed_time",
    "a pause of a fixed time",
    (
        "Who says that what you wait for takes just as long as your pause?",
        "Name a receiver with `add_future`; it is called when the box is full, be it soon or "
        "late. And of a deadline the exercise says where it stands.",
    ),
)
ASYNC_DEF = Mistake(
    "async_def",
    "`async def` where a plain `def` is wanted",
    (
        "A function with `async` in front gives something of its own, and what you return lies "
        "in there: a box in a box. For which of them does the caller wait?",
        "Leave `async` away. The next notebook is about it.",
    ),
)
YIELDS = Mistake(
    "yields",
    "a function with `yield`, which nobody drives",
    (
        "A function with a `yield` makes a generator: when it is called, nothing of it is run.",
        "Leave `yield` away: say `return` for the promise, and name a receiver for the rest.",
    ),
)
NOTHING_WRITTEN = Mistake(
    "nothing_written",
    "a text that is put into the promise, where nobody reads it",
    (
        "Tornado looks only at whether the box is full, not at what is in it. Who writes the "
        "answer?",
        "First `self.write(...)`, then `self.done.set_result(None)`.",
    ),
)
ANOTHER_PROMISE = Mistake(
    "another_promise",
    "a second promise, where the first one is waited for",
    (
        "Which future has `get` returned, and which one do you fill?",
        "`self.done = Future()` stands once, in `get`. Everybody else fills that one.",
    ),
)
BRACKETS = Mistake(
    "brackets",
    "a function that is named, and not called",
    (
        "A name alone on a line does nothing. What makes a call of it?",
        "Brackets behind the name, with what belongs in between, as in "
        "`self.done.set_result(None)`.",
    ),
)
CANCELLED = Mistake(
    "cancelled",
    "a promise that is cancelled, where it should be filled",
    (
        "Tornado waits for your promise. What does `cancel` tell whoever waits: that an answer "
        "is there, or that none will come?",
        "Fill it: with `self.done.set_result(None)` when the answer is written, or with "
        "`self.done.set_exception(error)`.",
    ),
)
# Seconds. Whoever looks again within them, without being told, polls.
SILENCE = 0.1


class Box(Future[Any]):
    """A future that notes what the learner's code does with it.

    Attributes:
        looks: how often it was looked into while it was empty.
        receivers: how many are to be told when it is full.
    """

    def __init__(self) -> None:
        super().__init__()
        self.looks = self.receivers = 0

    def done(self) -> bool:
        """Say whether it is full, and note who asks."""
        self._note(sys._getframe(1))
        return super().done()

    def result(self) -> Any:
        """Give what is in it, and note who asks."""
        self._note(sys._getframe(1))
        return super().result()

    def add_done_callback(self, *args: Any, **settings: Any) -> None:
        """Name a receiver."""
        self.receivers += 1
        super().add_done_callback(*args, **settings)

    def _note(self, frame: FrameType) -> None:
        self.looks += not super().done() and frame.f_code.co_filename == YOUR_CODE


# So it is called in what learners are shown.
Box.__name__ = "Future"


async def refuse_if_it_polls(case: Case, boxes: Sequence[Box], expected: str) -> None:
    """Refuse an answer that looks into empty boxes again and again, and waits for none.

    To be called when all that can be done is done, and the boxes are empty.
    """
    if any(box.receivers for box in boxes):
        return
    # What is left with the clock for "at once" looks in this time.
    await asyncio.sleep(SILENCE)
    before = sum(box.looks for box in boxes)
    await asyncio.sleep(SILENCE)
    if sum(box.looks for box in boxes) > before:
        got = "nobody is to be told; your code looks again and again whether it is there"
        case.refuse(POLLS, expected, got)


def note_promises(handler: type[RequestHandler]) -> list[Future[Any]]:
    """Note the futures that a handler's `get` returns, from now on."""
    noted: list[Future[Any]] = []
    original: Callable[..., Any] = handler.get

    @functools.wraps(original)
    def get(*args: Any, **settings: Any) -> Any:
        promise = original(*args, **settings)
        if isinstance(promise, Future):
            noted.append(promise)
        return promise

    handler.get = get
    return noted


def refuse_if_left_waiting(case: Case, promises: Sequence[Future[Any]], expected: str) -> None:
    """Refuse an answer for which Tornado waited on when all visitors had gone."""
    # Whoever stops the server cancels what its handlers wait for.
    if any(promise.cancelled() or not promise.done() for promise in promises):
        case.refuse(LEFT_WAITING, expected, "the answer is sent, and the promise is not filled")


def refuse_if_cancelled(case: Case, expected: str, got: str) -> None:
    """Refuse an answer that cancels `self.done`."""
    for node in ast.walk(case.tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="cancel", value=ast.Attribute(attr="done"))):
                case.refuse(CANCELLED, expected, got)


def refuse_if_it_yields(case: Case, *functions: object) -> None:
    """Refuse a generator where a function was wanted."""
    for function in functions:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            expected = f"`{function.__name__}` runs when it is called"
            case.refuse(
                YIELDS, expected, "it makes a generator, since there is a `yield` in it"
            )


def is_async_for_nothing(case: Case, name: str) -> bool:
    """Return whether a function is an `async def` that returns something and awaits nothing."""
    return any(
        isinstance(node, ast.AsyncFunctionDef)
        and node.name == name
        and not any(isinstance(each, ast.Await) for each in ast.walk(node))
        and any(isinstance(each, ast.Return) and each.value for each in ast.walk(node))
        for node in ast.walk(case.tree)
    )


def refuse_if_not_called(case: Case, expected: str) -> None:
    """Refuse an answer with a line such as `self.done.set_result`, which does nothing."""
    for node in ast.walk(case.tree):
        match node:
            case ast.Expr(value=ast.Attribute() as named):
                where = quoted(case.source, named.lineno)
                case.refuse(BRACKETS, expected, f"nothing is called in {where}")


def fills_another_promise(tree: ast.Module) -> bool:
    """Return whether `self.done` is assigned more than once."""
    stores = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr == "done"]
    return len([n for n in stores if isinstance(n.ctx, ast.Store)]) > 1


def handed_over(tree: ast.Module) -> str:
    """Return the name of a function that is called where it should be handed over."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=called), args=args) if called in _TAKERS:
                for each in args:
                    function = each.func if isinstance(each, ast.Call) else None
                    name = getattr(function, "attr", getattr(function, "id", ""))
                    if name in own:
                        return str(name)
    return ""


_TAKERS = (
    "add_callback", "add_done_callback", "add_future", "add_timeout", "call_at", "call_later",
    "call_soon",
)  # fmt: skip
