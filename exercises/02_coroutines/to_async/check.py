"""A handler made of callbacks, written once more with `await`."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from tornado.web import Application, RequestHandler

from classroom.examining.case import Case, turns, until
from classroom.examining.clockwork import LONG, goes_round, let_pass, note_alarms
from classroom.examining.kinds import code_exercise
from classroom.examining.mistakes import (
    ALREADY_CALLED,
    ASKS_TWICE,
    BYTES_AS_TEXT,
    FIXED_TIME,
    HARD_CODED,
    KEPT_ANSWER,
    MISSING,
    POLLS,
    TASK_LEFT,
    TOO_LONG,
)
from classroom.examining.rendering import GIVE_UP_AFTER, answers_in_words, shown
from classroom.examining.verdict import Mistake
from loopfilm import NO_ANSWER, Answer, Film, running
from stormy_demo.backend import Backend

HOLDS = Mistake(
    "holds_the_loop",
    "a call that holds the loop",
    (
        "While that line runs, nobody else is served. `async def` alone does not change that.",
        "Pause with something that can be awaited, and that gives the thread back.",
        "`await asyncio.sleep(0.6)`",
    ),
)
PLAIN_DEF = Mistake(
    "plain_def",
    "a `get` that is still an ordinary function",
    (
        "Which kind of function may pause in the middle and go on later in the same place?",
        "Begin the method with `async def`; then it may `await`.",
    ),
)
PROMISE_NOT_AWAITED = Mistake(
    "promise_not_awaited",
    "a promise taken for the answer in it",
    (
        "`fetch` returns at once. What can it return, when the backend has not answered yet?",
        "It is a future. `await` waits until it is full and gives you what is in it: "
        "`response = await AsyncHTTPClient().fetch(...)`.",
    ),
)
PROMISE_RETURNED = Mistake(
    "promise_returned",
    "an `async def` that leaves a note and ends",
    (
        "Tornado waits until an `async def` comes to its end. When does yours?",
        "The callbacks come when the answer has gone. Wait in `get` itself: each `await` "
        "stands where the other version says whom to call later.",
    ),
)
NEVER_WRITTEN = Mistake(
    "never_written",
    "an answer that was never written",
    (
        "The backend was asked and has answered. Who tells the visitor?",
        "What `get` returns is not looked at: `self.write(response.body)`.",
    ),
)
RESPONSE_WRITTEN = Mistake(
    "response_written",
    "a whole response where its body is wanted",
    (
        "A response has a status and headers too. Which part of it does the visitor want?",
        "`self.write(response.body)`",
    ),
)
NO_PAUSE = Mistake(
    "no_pause",
    "a question that does not wait for the pause",
    (
        "The backend is asked at once. What should have come to its end before that?",
        "`await` the pause on a line of its own, before the line that asks.",
    ),
)
MILLISECONDS = Mistake(
    "milliseconds",
    "a pause that is a thousand times as long",
    (
        "In which unit does `sleep` count?",
        "In seconds, as `call_later` does: `await asyncio.sleep(0.6)`.",
    ),
)
OTHER_PAUSE = Mistake(
    "other_pause",
    "a pause of another length",
    ("For how long does the version with callbacks pause? So does this one.",),
)
ONE_AT_A_TIME = Mistake(
    "one_at_a_time",
    "visitors who wait for one another",
    (
        "The second visitor's question comes when the first one's has been answered. What of "
        "yours holds it back?",
        "Leave the lock away, or whatever counts visitors: each request has a `self` of its "
        "own, and while one of them waits at an `await`, the others go on.",
    ),
)
HANGS_ON_FAILURE = Mistake(
    "hangs_on_failure",
    "an exception in a callback, which nobody hears",
    (
        "The backend's failure became an exception. Who called the function that raised it?",
        "Without callbacks it goes up by itself: `await` the answer in `get`.",
    ),
)
TOLD_AS_SUCCESS = Mistake(
    "told_as_success",
    "a failure told with status 200",
    (
        "The visitor is a program. It reads the status, and 200 says that all is well.",
        "Let the exception of `fetch` pass: Tornado makes a 500 of it.",
    ),
)

PROFILE = {"profile": "Ada Lovelace"}
PAUSE = 0.6


def _has_a_second_coroutine(tree: ast.Module) -> bool:
    """Return whether there is a coroutine besides `get`."""
    return sum(isinstance(node, ast.AsyncFunctionDef) for node in ast.walk(tree)) > 1


@code_exercise(
    (
        "Read the three methods in the order in which they run. The first two end with a note: "
        "call me later. In a coroutine each of them is a line with `await`.",
        "The pause is `await asyncio.sleep(0.6)`.",
        "`response = await AsyncHTTPClient().fetch(...)` gives you the response itself, and no "
        "`Future` is left.",
    ),
    HOLDS,
    PLAIN_DEF,
    PROMISE_NOT_AWAITED,
    PROMISE_RETURNED,
    NEVER_WRITTEN,
    RESPONSE_WRITTEN,
    NO_PAUSE,
    MILLISECONDS,
    OTHER_PAUSE,
    ONE_AT_A_TIME,
    HANGS_ON_FAILURE,
    TOLD_AS_SUCCESS,
    KEPT_ANSWER,
    ASKS_TWICE,
    FIXED_TIME,
    HARD_CODED,
    POLLS,
    TASK_LEFT,
    another_way=(
        "Another right way: ask in a second coroutine, `async def ask(self)`, and await that "
        "in `get`; one coroutine may wait for another."
    ),
    known_by=_has_a_second_coroutine,
    instead=(
        "Another right way: no second coroutine, and `await` in `get` for each thing that "
        "takes its time."
    ),
)
async def to_async(case: Case) -> None:
    """Three come at once, to a backend that answers all or none; then the backend fails."""
    case.if_stuck = HOLDS
    handler = case.handler("Profile")

    await _three_at_once(case, handler)

    case.tries("the backend fails: it answers with a 500.")
    expected = "the visitor gets a 500, and does not hang"
    backend = Backend(fail=["profile"])
    async with running(backend.app) as url:
        app = Application([(r"/", handler)], backend=url)
        film = await case.visits(app, ["/?user=ada"])
    status, got = film.answers[0].status, case.with_error(answers_in_words(film.answers))
    if status == NO_ANSWER:
        case.refuse(HANGS_ON_FAILURE, expected, got)
    if not backend.asked:
        case.refuse(KEPT_ANSWER, expected, f"{got} The backend is not asked.")
    if status < 400:
        case.refuse(TOLD_AS_SUCCESS, expected, answers_in_words(film.answers))
    if status < 500:
        case.refuse(None, expected, got)


async def _three_at_once(case: Case, handler: type[RequestHandler]) -> None:
    case.tries(
        "three visitors come at once. The backend answers when it has three questions, and has "
        f"had them for {LONG:g} seconds."
    )
    expected = "all three read Ada's profile, and nobody holds the loop"
    seen = await _come(case, handler, LONG)
    if seen.too_soon and _has_deadline(case):
        # That is its own affair. It is examined with a backend in a hurry.
        case.errors.clear()
        seen = await _come(case, handler, 0.0)
    case.refuse_if_held(seen.film, HOLDS, expected)
    _refuse_unless_coroutine(case, handler)
    if seen.went_round:
        case.refuse(POLLS, expected, "the loop goes round and round while all three wait")
    if seen.in_turn:
        got = "the next visitor's question comes when another one's has been answered"
        case.refuse(ONE_AT_A_TIME, "three visitors, three questions at once", got)
    if not all(_is_profile(answer) for answer in seen.film.answers):
        _why_no_profile(case, seen, expected)
    case.refuse_if_anything_went_wrong(expected, seen.film)
    # A slow machine makes a pause longer, and never shorter. Who does not ask at all is found
    # out when the backend fails.
    if seen.asked and seen.pause < PAUSE - 0.1:
        mistake, got = _why_so_soon(case, seen)
        case.refuse(mistake, "a pause of 0.6 seconds, then the question", got)
    if 0 < seen.asked < 3:
        got = f"of the questions, the backend gets {seen.asked}"
        case.refuse(KEPT_ANSWER, "three visitors, three questions", got)
    if seen.asked > 3:
        got = f"{seen.asked} questions come to the backend"
        case.refuse(ASKS_TWICE, "three visitors, three questions", got)


class _Seen(NamedTuple):
    """What was seen of three visitors.

    Attributes:
        film: of their visits.
        pause: seconds until the backend was asked.
        alarms: for how many seconds the learner's code had set alarms by then.
        asked: how many questions it got.
        early: whether requests ended before a question came.
        too_soon: whether requests ended after that, and before the backend answered.
        went_round: whether the loop went round and round while all waited.
        in_turn: whether a question came only when another one was answered.
        later: whether it was asked when a hundred times the pause had passed.
        much_later: whether it was asked when a thousand times the pause had passed.
    """

    film: Film
    pause: float
    alarms: list[float]
    asked: int
    early: bool
    too_soon: bool
    went_round: bool
    in_turn: bool
    later: bool
    much_later: bool


async def _come(case: Case, handler: type[RequestHandler], takes: float) -> _Seen:
    """Have three visitors come, to a backend that takes some time for its answers."""
    backend = Backend(hold=True)
    ended: list[RequestHandler] = []
    early = too_soon = went_round = in_turn = later = much_later = False

    def note_end(ended_by: RequestHandler) -> None:
        nonlocal early
        early = early or not backend.asked
        ended.append(ended_by)

    async def answer_when_all_wait(_: Film) -> None:
        nonlocal too_soon, went_round, in_turn, later, much_later
        await until(lambda: len(backend.asked) >= 3 or len(ended) == 3)
        await turns()
        if backend.asked and not ended:
            went_round = await goes_round()
            if (few := len(backend.asked)) < 3:
                backend.release("profile")
                in_turn = await until(lambda: len(backend.asked) > few)
                return
            let_pass(takes)
            await turns()
            too_soon = bool(ended)
        elif not ended:
            let_pass(PAUSE * 100)
            later = await until(lambda: bool(backend.asked), 0.5)
            if not later:
                let_pass(PAUSE * 1000)
                much_later = await until(lambda: bool(backend.asked), 0.5)
        backend.release("profile")

    async with running(backend.app) as url:
        app = Application([(r"/", handler)], backend=url, log_function=note_end)
        visits = ["/?user=ada", "/?user=grace", "/?user=alan"]
        alarms = note_alarms()
        pause = asyncio.create_task(_seconds_until_asked(backend, alarms))
        film = await case.visits(app, visits, answer_when_all_wait, GIVE_UP_AFTER + takes)
        case.to_show = film
        asked = len(backend.asked)
    if not asked:
        pause.cancel()
    seconds, alarms = await pause if asked else (0.0, [])
    return _Seen(
        film, seconds, alarms, asked, early, too_soon, went_round, in_turn, later, much_later
    )


def _why_so_soon(case: Case, seen: _Seen) -> tuple[Mistake, str]:
    """Return what there is of a pause before a question that comes too soon."""
    # An alarm that has not rung by then is nobody's pause.
    rung = [round(seconds, 3) for seconds in seen.alarms if 0 < seconds <= seen.pause]
    if rung and len(rung) <= 3 and len({*rung}) == 1:
        return OTHER_PAUSE, f"the backend is asked after a pause of {rung[0]:g} seconds"
    if rung or case.uses("to_thread", "run_in_executor"):
        return OTHER_PAUSE, "the backend is asked sooner"
    return NO_PAUSE, "the backend is asked without a pause"


def _has_deadline(case: Case) -> bool:
    """Return whether an answer gives the backend so much time, and knows what to do then."""
    names = [each.arg for each in ast.walk(case.tree) if isinstance(each, ast.keyword)]
    late = "request_timeout" in names or case.uses("timeout", "wait_for", "with_timeout")
    return late and not any("InvalidStateError" in error.text for error in case.errors)


async def _seconds_until_asked(
    backend: Backend, alarms: Sequence[float]
) -> tuple[float, list[float]]:
    # By the clock on the wall: the loop's own stands still while the machine is busy, and a
    # pause in a thread does not.
    began = time.monotonic()
    await until(lambda: bool(backend.asked))
    return time.monotonic() - began, [*alarms]


def _refuse_unless_coroutine(case: Case, handler: type[RequestHandler]) -> None:
    if handler.get is RequestHandler.get:
        case.refuse(MISSING, "`Profile` has an `async def get`", "it has no `get`")
    if not inspect.iscoroutinefunction(handler.get):
        case.refuse(PLAIN_DEF, "`get` is an `async def`", "`get` is an ordinary function")


def _is_profile(answer: Answer) -> bool:
    """Return whether this is the backend's body, passed on as it came or as JSON."""
    return answer.status == 200 and _data(answer.body) == PROFILE


def _data(body: Any) -> Any:
    try:
        return json.loads(body) if isinstance(body, str) else body
    except ValueError:
        return body


def _why_no_profile(case: Case, seen: _Seen, expected: str) -> None:
    film, got = seen.film, answers_in_words(seen.film.answers)
    if seen.later:
        got = "the backend is asked after seconds of pause"
        case.refuse(OTHER_PAUSE, "a pause of 0.6 seconds, then the question", got)
    if seen.much_later:
        got = "the backend is asked after minutes of pause"
        case.refuse(MILLISECONDS, "a pause of 0.6 seconds, then the question", got)
    if seen.too_soon:
        case.refuse(FIXED_TIME, expected, case.with_error(got))
    for error in case.errors:
        if error.mistake is ALREADY_CALLED:
            case.refuse(ALREADY_CALLED, expected, str(error))
        if any(word in error.text for word in ("Future' object", "InvalidStateError")):
            case.refuse(PROMISE_NOT_AWAITED, expected, str(error))
        if "only accepts bytes" in error.text and case.uses("fetch"):
            # Tornado's message is the same for a future and for a response.
            awaited = case.uses("fetch", inside=ast.Await)
            mistake = RESPONSE_WRITTEN if awaited else PROMISE_NOT_AWAITED
            case.refuse(mistake, expected, str(error))
    if any(str(answer.body).startswith("HTTPResponse(") for answer in film.answers):
        case.refuse(RESPONSE_WRITTEN, expected, got)
    if any(str(answer.body).startswith(("b'", 'b"')) for answer in film.answers):
        case.refuse(BYTES_AS_TEXT, expected, got)
    if film.answers == [Answer(200, "")] * 3 and not case.never_awaited():
        if not seen.early:
            case.refuse(NEVER_WRITTEN, expected, got)
        if case.uses("create_task", "ensure_future"):
            case.refuse(TASK_LEFT, expected, got)
        if case.uses("call_later", "add_future", "add_callback", "add_done_callback"):
            case.refuse(PROMISE_RETURNED, expected, got)
        if not case.uses("fetch", inside=ast.Await):
            case.refuse(PROMISE_NOT_AWAITED, expected, got)
    if not seen.asked and case.has_own_address():
        case.refuse(HARD_CODED, "the backend of the check is asked", case.with_error(got))
    case.refuse_if_anything_went_wrong(expected, film)
    hang = seen.asked >= 3 and {answer.status for answer in film.answers} == {NO_ANSWER}
    case.refuse(TOO_LONG if hang else None, f"each of them: 200 and {shown(PROFILE)}.", got)
