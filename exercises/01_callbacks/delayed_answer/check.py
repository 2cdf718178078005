"""An answer that somebody else will have, some day, and a deadline."""

from __future__ import annotations

import ast
import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable, Sequence

from tornado.web import Application

from classroom.examining.case import Case, until
from classroom.examining.clockwork import let_pass, note_alarms
from classroom.examining.kinds import code_exercise, names
from classroom.examining.mistakes import (
    FALSE_FOR_NONE,
    LEFT_WAITING,
    POINT_IN_TIME,
    PROMISE_NOT_KEPT,
    RETURNED_TOO_EARLY,
    ROUNDED,
    TASK_LEFT,
)
from classroom.examining.rendering import answers_in_words, quoted
from classroom.examining.verdict import Mistake
from loopfilm import NO_ANSWER, Answer, Film

from ..boxes import (
    ANOTHER_PROMISE,
    ASYNC_DEF,
    BRACKETS,
    CANCELLED,
    FIXED_TIME,
    NOTHING_WRITTEN,
    POLLS,
    YIELDS,
    Box,
    fills_another_promise,
    handed_over,
    is_async_for_nothing,
    note_promises,
    refuse_if_cancelled,
    refuse_if_it_polls,
    refuse_if_it_yields,
    refuse_if_left_waiting,
    refuse_if_not_called,
)
from .mistakes import (
    ALARM_IN_ONE_TURN,
    ALARM_RINGS_ON,
    BOX_IN_A_BOX,
    CALLED_AT_ONCE,
    CANCELS_THE_NEWS,
    DEADLINE_AS_ERROR,
    DONE_TOO_EARLY,
    FILLS_THE_NEWS,
    HIDES_THE_SECOND,
    HOLDS,
    LOOKS_AT_FINISHED,
    LOOKS_TOO_EARLY,
    MILLISECONDS,
    NEWS_AT_THE_DEADLINE,
    NEWS_TOO_LATE,
    NO_ALARM,
    OTHER_THREAD,
    RETURNS_THE_NEWS,
    SHARED,
    TIME_FOR_DURATION,
    WRONG_BOX,
)


def _leaves_the_alarm(tree: ast.Module) -> bool:
    """Return whether there is an alarm, and nothing that takes it back."""
    known = names(tree)
    sets = not known.isdisjoint({"call_later", "call_at", "add_timeout"})
    return sets and known.isdisjoint({"remove_timeout", "cancel"})


@code_exercise(
    (
        "Two things can happen: the news comes, or the alarm rings. In `get`, say for each of "
        "them whom to call, and then return the promise.",
        "`add_future(self.news, self.on_news)` is one of them, `call_later` the other.",
        "The one that comes second must not fill the box again: `self.done.done()` says "
        "whether it is full.",
    ),
    RETURNED_TOO_EARLY,
    NOTHING_WRITTEN,
    RETURNS_THE_NEWS,
    FILLS_THE_NEWS,
    CANCELS_THE_NEWS,
    DEADLINE_AS_ERROR,
    CALLED_AT_ONCE,
    BOX_IN_A_BOX,
    PROMISE_NOT_KEPT,
    NO_ALARM,
    NEWS_AT_THE_DEADLINE,
    ALARM_RINGS_ON,
    ALARM_IN_ONE_TURN,
    NEWS_TOO_LATE,
    LOOKS_TOO_EARLY,
    WRONG_BOX,
    MILLISECONDS,
    POINT_IN_TIME,
    TIME_FOR_DURATION,
    FIXED_TIME,
    POLLS,
    FALSE_FOR_NONE,
    LOOKS_AT_FINISHED,
    HIDES_THE_SECOND,
    LEFT_WAITING,
    DONE_TOO_EARLY,
    OTHER_THREAD,
    TASK_LEFT,
    SHARED,
    ANOTHER_PROMISE,
    BRACKETS,
    CANCELLED,
    ASYNC_DEF,
    YIELDS,
    HOLDS,
    another_way=(
        "Another right way: both callbacks call one method, which writes only while "
        "`self.done` is empty; then nobody needs to take the alarm back."
    ),
    known_by=_leaves_the_alarm,
    instead=(
        "Another right way: the callback of the news takes the alarm back, with "
        "`IOLoop.current().remove_timeout(alarm)`; then only the news looks whether somebody "
        "was first."
    ),
)
async def delayed_answer(case: Case) -> None:
    """Three wait for the same news; then each order in which news and alarm can come."""
    case.if_stuck = HOLDS
    handler = case.handler("Late")
    methods = (getattr(handler, name, None) for name in ("get", "on_news", "on_deadline"))
    refuse_if_it_yields(case, *methods)
    alarms, promises = note_alarms(), note_promises(handler)
    threads = case.threads_of(handler)
    shared = _shared(handler)

    def app(news: Box, deadline: float) -> Application:
        return Application([(r"/", handler, {"news": news, "deadline": deadline})])

    case.tries("Ada, Grace and Alan come at once. The news comes when all three are waiting.")
    expected = "all three read the news"
    news = Box()

    async def tell_when_all_wait(film: Film) -> None:
        if await until(lambda: film.together == 3):
            await refuse_if_it_polls(case, [news], "the loop calls `on_news`")
            # For the film: so one sees that they wait, and that the heart beats.
            await asyncio.sleep(0.2)
        if not news.done():
            news.set_result("rain")

    film = await case.visits(
        app(news, 3600), ["/?user=ada", "/?user=grace", "/?user=alan"], tell_when_all_wait
    )
    case.refuse_if_held(film, HOLDS, expected)
    _refuse_if_filled(case, news, "rain", expected)
    if film.answers != [Answer(200, "rain")] * 3:
        _refuse_if_one_for_all(case, handler, expected)
        _why_no_news(case, film, news, alarms, promises, expected)
        other = SHARED if shared != _shared(handler) else None
        case.refuse(other, expected, answers_in_words(film.answers))
    if not news.receivers:
        case.refuse(FIXED_TIME, "the loop calls `on_news`", "nobody is to be told of the news")
    if alarms and max(alarms) < 3000:
        got = f"an alarm of {max(alarms):.1f} seconds"
        short = 3 < max(alarms) < 4
        case.refuse(MILLISECONDS if short else FIXED_TIME, "an alarm of 3600 seconds", got)
    if alarms and 3700 < max(alarms) < 500_000:
        got = f"an alarm of {max(alarms):.0f} seconds"
        case.refuse(FIXED_TIME, "an alarm of 3600 seconds", got)
    refuse_if_left_waiting(case, promises, expected)
    case.to_show = film

    case.tries("Ada comes. There is no news, and her deadline is a fifth of a second.")
    expected = "she reads `too late`"
    news = Box()
    alarms.clear()
    film = await case.visits(app(news, 0.2), ["/?user=ada"])
    if not _is_too_late(film) and _returns(case, "news"):
        case.refuse(RETURNS_THE_NEWS, expected, answers_in_words(film.answers))
    _refuse_if_filled(case, news, None, expected)
    if not _is_too_late(film):
        _why_not_too_late(case, film, alarms, expected)
    if threads:
        case.refuse(OTHER_THREAD, "the loop calls `on_deadline`", "another thread does")
    # The exact time is the machine's affair, so the code has to tell, too.
    rounds = case.uses("int", "round", "floor", "ceil", "trunc", ast.FloorDiv)
    if alarms and rounds and not 0.1 < min(alarms) < 0.4:
        got = f"an alarm of {max(min(alarms), 0):.0f} seconds"
        case.refuse(ROUNDED, "an alarm of 0.2 seconds", got)
    if alarms and min(alarms) > 0.4:
        got = f"an alarm of {min(alarms):.1f} seconds"
        case.refuse(FIXED_TIME, "an alarm of 0.2 seconds", got)
    refuse_if_left_waiting(case, promises, expected)

    case.tries("Ada has the news at once. Then her deadline passes.")
    expected = "she reads the news, and nothing else happens"
    news = Box()
    news.set_result("sun")
    film = await case.visits(app(news, 0.2), ["/?user=ada"])
    await asyncio.sleep(0.3)
    other = SHARED if shared != _shared(handler) else None
    _nothing_twice(case, film, ["sun"], ALARM_RINGS_ON, expected, other)

    case.tries("Ada's deadline passes. Then the news comes.")
    expected = "she reads `too late`, and nothing else happens"
    news = Box()
    film = await case.visits(app(news, 0.1), ["/?user=ada"])
    _refuse_if_filled(case, news, None, expected)
    news.set_result("snow")
    await asyncio.sleep(0.05)
    _nothing_twice(case, film, ["too late"], NEWS_TOO_LATE, expected)

    for first in ("news", "alarm"):
        case.tries(f"News and alarm come in one turn of the loop, first the {first}.")
        expected = "she reads one of both, and nothing else happens"
        news = Box()
        film = await case.visits(app(news, 0.2), ["/?user=ada"], _in_one_turn(news, first))
        await asyncio.sleep(0.05)
        mistake, told = _both_answered(case, film), str(film.answers[0].body)
        other = mistake if "fog" in told and "too late" in told else None
        _nothing_twice(case, film, ["fog", "too late"], mistake, expected, other)

    case.tries("The news is there, and it is an empty text.")
    expected = "Ada reads an empty text"
    news = Box()
    news.set_result("")
    film = await case.visits(app(news, 0.2), ["/?user=ada"])
    _nothing_twice(case, film, [""], FALSE_FOR_NONE, expected)


def _in_one_turn(news: Box, first: str) -> Callable[[Film], Awaitable[None]]:
    """Have the news come in the turn of the loop in which the alarm rings."""

    async def script(film: Film) -> None:
        await until(lambda: film.together == 1)
        let_pass(0.3)
        if first == "news":
            news.set_result("fog")
        else:
            # The alarm stands before the receiver in the queue.
            asyncio.get_running_loop().call_soon(news.set_result, "fog")

    return script


_SEEN_IN_THE_ANSWER = (FALSE_FOR_NONE, LOOKS_AT_FINISHED, HIDES_THE_SECOND)


def _shared(handler: type) -> dict[str, str]:
    """Return what all handlers of a class have in common, as it looks now."""
    return {name: repr(value) for name, value in vars(handler).items()}


def _refuse_if_one_for_all(case: Case, handler: type, expected: str) -> None:
    """Refuse a promise that is made where the class is, and so belongs to all requests."""
    nodes = [*ast.walk(case.tree)]
    # A request that makes its own leaves the one of the class alone.
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    own = {node.attr for node in attributes if isinstance(node.ctx, ast.Store)}
    for node in nodes:
        if isinstance(node, ast.ClassDef) and node.name == handler.__name__:
            for each in node.body:
                name = ast.unparse(each).partition(" ")[0].partition(":")[0]
                if name not in own and isinstance(vars(handler).get(name), Future):
                    where = quoted(case.source, each.lineno)
                    got = f"one future is made for all requests ({where})"
                    case.refuse(SHARED, expected, got)


def _both_answered(case: Case, film: Film) -> Mistake:
    """Return why the one that came second was answered too: news and alarm in one turn."""
    first, second = "on_deadline", "on_news"
    if str(film.answers[0].body).startswith("fog"):
        first, second = second, first
    # It may also stand in a method that both of them call.
    if case.uses("_finished", inside=second) or (
        case.uses("_finished") and not case.uses("_finished", inside=first)
    ):
        return LOOKS_AT_FINISHED
    if case.uses(ast.Try) and not case.errors:
        return HIDES_THE_SECOND
    return ALARM_IN_ONE_TURN if second == "on_deadline" else NEWS_TOO_LATE


def _refuse_if_filled(case: Case, news: Box, ours: str | None, expected: str) -> None:
    """Refuse an answer that has filled a box which was ours to fill, or has cancelled it."""
    if not news.done():
        return
    if news.cancelled():
        case.refuse(CANCELS_THE_NEWS, expected, "`self.news` is cancelled by your handler")
    if news.exception() or news.result() != ours:
        case.refuse(FILLS_THE_NEWS, expected, "`self.news` is filled by your handler")


def _is_too_late(film: Film) -> bool:
    """Return whether the only visitor was told so, with a status that says so or with 200."""
    return film.answers in [[Answer(status, "too late")] for status in (200, 503, 504)]


def _returns(case: Case, name: str) -> bool:
    returns = [node.value for node in ast.walk(case.tree) if isinstance(node, ast.Return)]
    return any(isinstance(value, ast.Attribute) and value.attr == name for value in returns)


def _why_no_news(
    case: Case,
    film: Film,
    news: Box,
    alarms: list[float],
    promises: Sequence[Future[None]],
    expected: str,
) -> None:
    """Find out why somebody did not get the news."""
    got, statuses = answers_in_words(film.answers), {answer.status for answer in film.answers}
    bodies = [str(answer.body) for answer in film.answers]
    twice = any("invalid state" in error.text for error in case.errors)
    refuse_if_cancelled(case, expected, got)
    if statuses == {200} and set(bodies) == {""}:
        if is_async_for_nothing(case, "get"):
            case.refuse(ASYNC_DEF, expected, got)
        if promises and film.together < 3:
            case.refuse(DONE_TOO_EARLY, expected, got)
        if case.uses("create_task", "ensure_future"):
            case.refuse(TASK_LEFT, expected, got)
        waited = film.together == 3
        case.refuse(NOTHING_WRITTEN if waited else RETURNED_TOO_EARLY, expected, got)
    if case.never_awaited():
        case.refuse_if_anything_went_wrong(expected)
    if name := handed_over(case.tree):
        got = case.with_error(f"{got}\n`{name}` is called in `get`, and not later.")
        case.refuse(CALLED_AT_ONCE, expected, got)
    if "too late" in bodies and case.uses("add_timeout", "call_at", "timeout_at"):
        case.refuse(POINT_IN_TIME, expected, got)
    if "too late" in bodies and alarms and max(alarms) < 3000:
        got += f"\nThe alarm is set to {max(alarms):.1f} seconds, and the deadline is an hour."
        case.refuse(FIXED_TIME, expected, got)
    if "too late" in bodies or any("callable" in error.text for error in case.errors):
        case.refuse(CALLED_AT_ONCE, expected, case.with_error(got))
    if any("Result is not" in error.text for error in case.errors):
        case.refuse(LOOKS_TOO_EARLY, expected, case.with_error(got))
    boxes = ("bytes, unicode, and dict", "is not JSON serializable", "concatenate str")
    if any(box in error.text for error in case.errors for box in boxes) or "<Future" in str(
        bodies
    ):
        case.refuse(BOX_IN_A_BOX, expected, got)
    states = ("invalid state", "Result is not")
    if not all(any(state in error.text for state in states) for error in case.errors):
        case.refuse_if_anything_went_wrong(expected)
    asks = case.uses("add_future", "add_done_callback")
    if statuses == {NO_ANSWER} and asks and not news.receivers:
        case.refuse(WRONG_BOX, expected, case.with_error(got))
    if twice:
        case.refuse(CALLED_AT_ONCE, expected, case.with_error(got))
    case.refuse_if_anything_went_wrong(expected)
    if statuses == {NO_ANSWER}:
        refuse_if_not_called(case, expected)
        if alarms and max(alarms) < 3000 and not asks:
            case.refuse(FIXED_TIME, expected, got)
        if fills_another_promise(case.tree):
            case.refuse(ANOTHER_PROMISE, expected, got)
        case.refuse(PROMISE_NOT_KEPT if asks else NEWS_AT_THE_DEADLINE, expected, got)


def _why_not_too_late(case: Case, film: Film, alarms: list[float], expected: str) -> None:
    """Find out why somebody was not told that it is too late."""
    got = answers_in_words(film.answers)
    refuse_if_cancelled(case, expected, got)
    if any(error.text.startswith("TimeoutError") for error in case.errors):
        case.refuse(DEADLINE_AS_ERROR, expected, case.with_error(got))
    case.refuse_if_anything_went_wrong(expected, film)
    if film.answers[0].status != NO_ANSWER:
        case.refuse(None, expected, got)
    if not alarms:
        case.refuse(NO_ALARM, expected, got)
    seconds = min(alarms)
    if seconds < 0.4:
        case.refuse(PROMISE_NOT_KEPT, expected, got)
    got += f"\nThe alarm is set to {seconds:.0f} seconds."
    if 180 < seconds < 220:
        case.refuse(MILLISECONDS, expected, got)
    case.refuse(TIME_FOR_DURATION if seconds > 500_000 else FIXED_TIME, expected, got)


def _nothing_twice(
    case: Case,
    film: Film,
    wanted: list[str],
    mistake: Mistake,
    expected: str,
    other: Mistake | None = None,
) -> None:
    twice = ("InvalidStateError", "finish")
    got = answers_in_words(film.answers)
    if any(word in error.text for error in case.errors for word in twice):
        case.refuse(mistake, expected, case.with_error(got))
    case.refuse_if_anything_went_wrong(expected, film)
    late = "too late" in wanted and _is_too_late(film)
    if not late and film.answers not in [[Answer(200, text)] for text in wanted]:
        case.refuse(mistake if mistake in _SEEN_IN_THE_ANSWER else other, expected, got)
