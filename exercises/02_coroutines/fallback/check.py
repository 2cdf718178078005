"""A deadline, and what to give when it has passed."""

from __future__ import annotations

import ast
import asyncio
import inspect
from asyncio import Task
from collections.abc import Callable
from typing import Any

from classroom.examining.case import Case, turns, until
from classroom.examining.clockwork import let_pass, note_alarms, timers
from classroom.examining.kinds import code_exercise
from classroom.examining.mistakes import (
    FALSE_FOR_NONE,
    FORGOTTEN_AWAIT,
    POINT_IN_TIME,
    POLLS,
    ROUNDED,
)
from classroom.examining.rendering import GIVE_UP_AFTER, described, shown
from classroom.examining.verdict import Mistake

from ..questions import begin

HOLDS = Mistake(
    "holds_the_loop",
    "a call that holds the loop",
    (
        "While that line runs, nobody has the thread: not even what you wait for.",
        "`asyncio.timeout` looks at the clock for you, and the loop goes on.",
    ),
)
ENDLESS_WAIT = Mistake(
    "endless_wait",
    "a wait that no deadline ends",
    (
        "What if it never ends? Which line of yours runs then?",
        "A deadline must be set before the `await`. Put the `await` into a block "
        "`async with asyncio.timeout(seconds):`.",
    ),
)
WAITS_OUT_THE_DEADLINE = Mistake(
    "waits_out_the_deadline",
    "a deadline that is always waited for",
    (
        "It was there at once. What does your code wait for after that?",
        "Wait for the thing itself, under a deadline: `async with asyncio.timeout(seconds):`.",
    ),
)
DEADLINE_NOT_CAUGHT = Mistake(
    "deadline_not_caught",
    "a deadline that nobody answers",
    (
        "The deadline works: it raises a `TimeoutError`. Who catches that, by this name and "
        "outside of the block?",
        "Put `try` around the whole, and return the fallback in `except TimeoutError:`.",
    ),
)
TRY_INSIDE = Mistake(
    "try_inside",
    "a `try` inside the block",
    (
        "Where is the `TimeoutError` raised: at the `await`, or at the end of the block?",
        "At the `await` there is a `CancelledError`; the block makes a `TimeoutError` of it "
        "when it ends. So `try` stands around `async with`.",
    ),
)
RETURNS_IN_FINALLY = Mistake(
    "returns_in_finally",
    "a `return` in `finally`, which beats every other",
    (
        "`finally` is run in every case. What does a `return` in it do to the one above?",
        "Return the fallback in `except TimeoutError:`, and nowhere else.",
    ),
)
HIDES_ERRORS = Mistake(
    "hides_errors",
    "an `except` that catches too much",
    (
        "Something went wrong that has nothing to do with the deadline. Who hears of it?",
        "Name the one exception that you mean: `except TimeoutError:`.",
    ),
)
SWALLOWS_CANCELLATION = Mistake(
    "swallows_cancellation",
    "a cancellation that is swallowed",
    (
        "Somebody cancels the task, and it goes on as if it were only late. Which `except` "
        "catches that?",
        "Leave `CancelledError` alone. The deadline comes out of the block as a "
        "`TimeoutError`, and that is the only one to catch.",
    ),
)
LEFT_RUNNING = Mistake(
    "left_running",
    "something that is given up and still runs",
    (
        "You do not wait for it any longer. Who tells it to stop?",
        "`asyncio.timeout` cancels what its block awaits, and waits until that has tidied up.",
    ),
)
NOT_TIDIED_UP = Mistake(
    "not_tidied_up",
    "a cancellation that is not waited for",
    (
        "`cancel()` only leaves a note. When does the `finally` of the cancelled one run?",
        "Wait for its end before you return. `asyncio.timeout` does that for you.",
    ),
)
ALARM_LEFT = Mistake(
    "alarm_left",
    "an alarm that nobody turns off",
    (
        "It was there in time. Who tells the alarm, which rings in an hour?",
        "Turn it off in `finally`: `alarm.cancel()`. `asyncio.timeout` does that by itself.",
    ),
)
OTHER_DEADLINE = Mistake(
    "other_deadline",
    "a deadline that is not `seconds`",
    (
        "How long may it take? Compare your number with the parameter.",
        "`asyncio.timeout(seconds)`: in seconds, and as many as the caller says.",
    ),
)
ERROR_RETURNED = Mistake(
    "error_returned",
    "an exception that is returned, and not raised",
    (
        "Who called you waits for a result, and gets an exception as one. Does it look?",
        "Without `return_exceptions=True`, `gather` raises it; and so does a plain `await`.",
    ),
)
FALLBACK_IS_A_VALUE = Mistake(
    "fallback_is_a_value",
    "a fallback that is called, or awaited",
    (
        'What is `fallback` in `or_else(ask(), 0.5, "old news")`?',
        "It is a value like any other: `return fallback`.",
    ),
)
NOTHING_RETURNED = Mistake(
    "nothing_returned",
    "a result that nobody returns",
    (
        "The `await` gives the result. Where does it go?",
        "`return await awaitable`.",
    ),
)

LONG = 3600  # seconds


async def quick(value: object = "news") -> object:
    """Give something, soon."""
    await asyncio.sleep(0)
    return value


async def broken() -> str:
    """Fail, soon."""
    await asyncio.sleep(0)
    raise ValueError("no such user")


class Patient:
    """Something that takes an hour.

    Attributes:
        begun: whether it was awaited.
        tidied_up: whether its `finally` has run to its end.
    """

    def __init__(self) -> None:
        """Note that nothing has happened yet."""
        self.begun = self.tidied_up = False

    async def patient(self) -> str:
        """Wait, and tidy up whatever happens."""
        self.begun = True
        try:
            await asyncio.sleep(LONG)
            return "news"
        finally:
            # Clean-up may take a while, as closing a connection does.
            await asyncio.sleep(0)
            self.tidied_up = True


@code_exercise(
    (
        "Section 6 has a deadline around `patient()`. What happens there when it is over?",
        "`async with asyncio.timeout(seconds):` and in it the `await`.",
        "Put `try` around the whole block, and return the fallback in `except TimeoutError:`.",
    ),
    HOLDS,
    ENDLESS_WAIT,
    WAITS_OUT_THE_DEADLINE,
    DEADLINE_NOT_CAUGHT,
    TRY_INSIDE,
    RETURNS_IN_FINALLY,
    HIDES_ERRORS,
    SWALLOWS_CANCELLATION,
    LEFT_RUNNING,
    NOT_TIDIED_UP,
    ALARM_LEFT,
    ERROR_RETURNED,
    FALLBACK_IS_A_VALUE,
    FALSE_FOR_NONE,
    NOTHING_RETURNED,
    OTHER_DEADLINE,
    POINT_IN_TIME,
    POLLS,
    another_way=(
        "Another right way: `await asyncio.wait_for(awaitable, seconds)` in the `try`; it "
        "raises the same `TimeoutError`."
    ),
    known_by="wait_for",
    instead=(
        "Another right way: `async with asyncio.timeout(seconds)` in the `try`, with the "
        "`await` in its block. It bounds all that is awaited there, and not one awaitable only."
    ),
)
async def fallback(case: Case) -> None:
    """Something quick, something late, something broken; and somebody who cancels."""
    case.if_stuck = HOLDS
    or_else = case.function("or_else")
    await _in_time(case, or_else)
    await _late(case, or_else)
    await _broken(case, or_else)
    await _cancelled(case, or_else)


async def _in_time(case: Case, or_else: Callable[..., Any]) -> None:
    case.tries("something that gives 'news' at once, an hour's time, and the fallback 'old'.")
    expected = "'news'"
    with timers() as alarms:
        waiting = begin(or_else, quick(), LONG, "old")
        if not await until(waiting.done):
            got = f"no result within {GIVE_UP_AFTER:g} seconds"
            case.refuse(WAITS_OUT_THE_DEADLINE, expected, got)
    if error := _error(waiting):
        case.refuse_error(error, expected)
    _refuse_unless(case, waiting, "news", expected)
    case.refuse_if_anything_went_wrong(expected)
    now = asyncio.get_running_loop().time()
    if any(alarm.when() > now + LONG / 2 and not alarm.cancelled() for alarm in alarms):
        expected = "'news', and no alarm is set when it has come"
        case.refuse(ALARM_LEFT, expected, "'news', and an alarm that would ring in an hour")

    case.tries("something that gives 0 at once, and then something that gives None.")
    for value in (0, None):
        waiting = begin(or_else, quick(value), LONG, "old")
        await until(waiting.done)
        if not waiting.done():
            case.refuse(None, shown(value), f"no result within {GIVE_UP_AFTER:g} seconds")
        if error := _error(waiting):
            case.refuse(FALSE_FOR_NONE, shown(value), described(error))
        given = waiting.result()
        if given is not value:
            false = given is None or given == "old"
            case.refuse(FALSE_FOR_NONE if false else None, shown(value), shown(given))


async def _late(case: Case, or_else: Callable[..., Any]) -> None:
    case.tries("something that takes an hour, 0.1 seconds' time, and the fallback 'old'.")
    expected = "'old'"
    thing = Patient()
    now = asyncio.get_running_loop().time()
    with timers() as alarms:
        lengths = note_alarms()
        waiting = begin(or_else, thing.patient(), 0.1, "old")
        await turns()
    # Looked at as soon as the result is there, before any other code can run.
    tidied: list[bool] = []
    waiting.add_done_callback(lambda _: tidied.append(thing.tidied_up))
    if not await until(waiting.done):
        got = f"no result within {GIVE_UP_AFTER:g} seconds"
        let_pass(LONG / 2)
        await turns()
        case.refuse(OTHER_DEADLINE if waiting.done() else ENDLESS_WAIT, expected, got)
    error = _error(waiting)
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        inside = case.uses(ast.Try, inside=ast.AsyncWith)
        got = described(error)
        case.refuse(TRY_INSIDE if inside else DEADLINE_NOT_CAUGHT, expected, got)
    if isinstance(error, TypeError) and case.uses("fallback", inside=ast.Await):
        case.refuse(FALLBACK_IS_A_VALUE, expected, described(error))
    if isinstance(error, TypeError) and "'str' object is not callable" in str(error):
        case.refuse(FALLBACK_IS_A_VALUE, expected, described(error))
    if error:
        case.refuse_error(error, expected)
    _refuse_unless(case, waiting, "old", expected)
    # The longest is that of what takes an hour.
    shortest = min(lengths, default=0)
    if 0.5 < shortest < LONG / 2:
        got = f"'old', when {shortest:.1f} seconds are over"
        case.refuse(OTHER_DEADLINE, "'old', when 0.1 seconds are over", got)
    await turns()
    if not tidied[0]:
        expected = "'old', when what took too long is cancelled and its `finally` has run"
        if thing.tidied_up:
            got = "'old', and `finally` runs after that"
            case.refuse(NOT_TIDIED_UP, expected, got)
        case.refuse(LEFT_RUNNING, expected, "'old', and what took too long still runs")
    if case.uses("int", "round", "floor", "trunc", ast.FloorDiv) and not any(
        0.05 < alarm.when() - now < 1 for alarm in alarms
    ):
        case.refuse(ROUNDED, "it has 0.1 seconds", "it has none")
    case.refuse_if_anything_went_wrong(expected)


async def _broken(case: Case, or_else: Callable[..., Any]) -> None:
    case.tries("something that raises a ValueError at once, and the fallback 'old'.")
    expected = "the ValueError"
    waiting = begin(or_else, broken(), LONG, "old")
    if not await until(waiting.done):
        case.refuse(None, expected, f"no result within {GIVE_UP_AFTER:g} seconds")
    error = _error(waiting)
    if error is None:
        if isinstance(waiting.result(), ValueError):
            case.refuse(ERROR_RETURNED, expected, f"it returns {shown(waiting.result())}")
        case.refuse(HIDES_ERRORS, expected, shown(waiting.result()))
    if not isinstance(error, ValueError):
        case.refuse_error(error, expected)


async def _cancelled(case: Case, or_else: Callable[..., Any]) -> None:
    case.tries("something that takes an hour, an hour's time; and then somebody cancels all.")
    expected = "a CancelledError"
    thing = Patient()
    waiting = begin(or_else, thing.patient(), LONG, "old")
    await until(lambda: thing.begun)
    await case.refuse_if_it_polls("it is waited for")
    let_pass(LONG / 2)
    await turns()
    if waiting.done():
        case.refuse(OTHER_DEADLINE, "it has an hour", "after half an hour it is given up")
    waiting.cancel()
    await until(waiting.done)
    await turns()
    if not waiting.cancelled():
        if not waiting.done():
            got = "your function goes on"
        elif error := waiting.exception():
            got = described(error)
        else:
            got = shown(waiting.result())
        case.refuse(SWALLOWS_CANCELLATION, expected, got)
    if not thing.tidied_up:
        expected = "a CancelledError, for the thing that is waited for as well"
        case.refuse(LEFT_RUNNING, expected, "that thing still runs")


def _error(waiting: Task[Any]) -> BaseException | None:
    return asyncio.CancelledError() if waiting.cancelled() else waiting.exception()


def _refuse_unless(case: Case, waiting: Task[Any], wanted: str, expected: str) -> None:
    given = waiting.result()
    if given == wanted:
        return
    if inspect.isawaitable(given):
        case.refuse(FORGOTTEN_AWAIT, expected, shown(given))
    case.refuse_if_anything_went_wrong(expected)
    finals = [
        each
        for node in ast.walk(case.tree)
        if isinstance(node, ast.Try)
        for each in node.finalbody
    ]
    points = ("timeout_at", "call_at", "add_timeout", "with_timeout", "reschedule")
    if wanted != "old" and given == "old" and case.uses(*points):
        case.refuse(POINT_IN_TIME, expected, "'old', at once")
    if given is None:
        case.refuse(NOTHING_RETURNED, expected, shown(given))
    returns = any(isinstance(node, ast.Return) for each in finals for node in ast.walk(each))
    case.refuse(RETURNS_IN_FINALLY if returns else None, expected, shown(given))
