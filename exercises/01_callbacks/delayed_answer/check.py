"""An answer that somebody else will have, some day, and a deadline."""

from __future__ import annotations

import ast
import asyncio
from asyncio import Future

from tornado.web import Application

from classroom.examining.case import Case, until
from classroom.examining.kinds import code_exercise
from classroom.examining.mistakes import PROMISE_NOT_KEPT, RETURNED_TOO_EARLY
from classroom.examining.rendering import answers_in_words
from classroom.examining.verdict import Mistake
from loopfilm import NO_ANSWER, Answer, Film

HOLDS = Mistake(
    "holds_the_loop",
    "a call that holds the loop",
    (
        "While that line runs, nobody else is served and no timer rings.",
        "Do not wait for it. Leave a note for the loop with `add_future` or `call_later`, and "
        "return.",
    ),
)
CALLED_AT_ONCE = Mistake(
    "called_at_once",
    "a function that was called where it should be handed over",
    (
        "What stands inside the brackets of `call_later` and `add_future`: a function, or "
        "what it returned?",
        "With brackets behind its name it is called now. Leave them away: `self.on_deadline`.",
    ),
)
FILLS_THE_NEWS = Mistake(
    "fills_the_news",
    "a box that is filled by somebody who did not promise it",
    (
        "`self.news` belongs to somebody else, and other visitors wait for it too. Which box "
        "is yours?",
        "Leave `self.news` alone: do not fill it, and do not cancel it, as `asyncio.wait_for` "
        "does. To end the request, fill `self.done`.",
    ),
)
RETURNS_THE_NEWS = Mistake(
    "returns_the_news",
    "the wrong promise",
    (
        "Tornado waits for the box that `get` returns. Is that full when the deadline is over?",
        "Make a box of your own, return it, and fill it in both cases.",
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
DEADLINE_AS_ERROR = Mistake(
    "deadline_as_error",
    "a deadline that is told as an exception",
    (
        "In section 6, `TaskHandler` made an answer of a `TimeoutError`. Who does that here?",
        "Nobody does. Write `too late`, and fill the promise with `None`.",
    ),
)
BOX_IN_A_BOX = Mistake(
    "box_in_a_box",
    "the box taken for the value in it",
    (
        "The loop calls a receiver with the full future, not with its value.",
        "`.result()` takes the value out of it.",
    ),
)
NO_ALARM = Mistake(
    "no_alarm",
    "an alarm that was never set",
    (
        "Who tells the visitor that the news did not come?",
        "Let the clock do it: `call_later` with `self.deadline`, in `get`.",
    ),
)
NEWS_AT_THE_DEADLINE = Mistake(
    "news_at_the_deadline",
    "news that is read only when the alarm rings",
    (
        "Who tells you that the news is there? It may come long before the alarm.",
        "Name a receiver with `add_future`, in `get`.",
    ),
)
ALARM_RINGS_ON = Mistake(
    "alarm_rings_on",
    "an alarm that rings although all is well",
    (
        "The news came, and later the alarm rang all the same. Two callbacks filled one box.",
        "Keep what `call_later` returns, and give it to `remove_timeout` when the news comes. "
        "Or look at `self.done.done()` before you fill it.",
    ),
)
NEWS_TOO_LATE = Mistake(
    "news_too_late",
    "news that comes after the deadline, and is answered a second time",
    (
        "The visitor was told that it is too late; then the news came after all.",
        "Look at `self.done.done()` in `on_news`: with a full box there is nothing to do.",
    ),
)


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
    DEADLINE_AS_ERROR,
    CALLED_AT_ONCE,
    BOX_IN_A_BOX,
    PROMISE_NOT_KEPT,
    NO_ALARM,
    NEWS_AT_THE_DEADLINE,
    ALARM_RINGS_ON,
    NEWS_TOO_LATE,
    HOLDS,
)
async def delayed_answer(case: Case) -> None:
    """Three wait for the same news; one waits in vain; one has the news, and then the alarm."""
    case.if_stuck = HOLDS
    handler = case.handler("Late")

    def app(news: Future[str], deadline: float) -> Application:
        return Application([(r"/", handler, {"news": news, "deadline": deadline})])

    case.tries("Ada, Grace and Alan come at once. The news comes when all three are waiting.")
    expected = "all three read the news"
    news: Future[str] = Future()

    async def tell_when_all_wait(film: Film) -> None:
        await until(lambda: film.together == 3)
        if not news.done():
            news.set_result("rain")

    film = await case.visits(
        app(news, 3600), ["/?user=ada", "/?user=grace", "/?user=alan"], tell_when_all_wait
    )
    case.refuse_if_held(film, HOLDS, expected)
    _refuse_if_filled(case, news, "rain", expected)
    if film.answers != [Answer(200, "rain")] * 3:
        _why_no_news(case, film, expected)

    case.tries("Ada comes. There is no news, and her deadline is a fifth of a second.")
    expected = "she reads `too late`"
    news = Future()
    film = await case.visits(app(news, 0.2), ["/?user=ada"])
    if film.answers != [Answer(200, "too late")] and _returns(case, "news"):
        case.refuse(RETURNS_THE_NEWS, expected, answers_in_words(film.answers))
    _refuse_if_filled(case, news, None, expected)
    if film.answers != [Answer(200, "too late")]:
        if any(error.text.startswith("TimeoutError") for error in case.errors):
            case.refuse(
                DEADLINE_AS_ERROR, expected, case.with_error(answers_in_words(film.answers))
            )
        case.refuse_if_anything_went_wrong(expected, film)
        got = answers_in_words(film.answers)
        case.refuse(NO_ALARM if film.answers[0].status == NO_ANSWER else None, expected, got)

    case.tries("Ada has the news at once. Then her deadline passes.")
    expected = "she reads the news, and nothing else happens"
    news = Future()
    news.set_result("sun")
    film = await case.visits(app(news, 0.2), ["/?user=ada"])
    await asyncio.sleep(0.3)
    _nothing_twice(case, film, "sun", ALARM_RINGS_ON, expected)

    case.tries("Ada's deadline passes. Then the news comes.")
    expected = "she reads `too late`, and nothing else happens"
    news = Future()
    film = await case.visits(app(news, 0.1), ["/?user=ada"])
    _refuse_if_filled(case, news, None, expected)
    news.set_result("snow")
    await asyncio.sleep(0.05)
    _nothing_twice(case, film, "too late", NEWS_TOO_LATE, expected)


def _refuse_if_filled(case: Case, news: Future[str], ours: str | None, expected: str) -> None:
    """Refuse an answer that has filled a box which was ours to fill, or has cancelled it."""
    if not news.done():
        return
    if news.cancelled() or news.exception() or news.result() != ours:
        case.refuse(FILLS_THE_NEWS, expected, "`self.news` is filled by your handler")


def _returns(case: Case, name: str) -> bool:
    returns = [node.value for node in ast.walk(case.tree) if isinstance(node, ast.Return)]
    return any(isinstance(value, ast.Attribute) and value.attr == name for value in returns)


def _why_no_news(case: Case, film: Film, expected: str) -> None:
    """Find out why somebody did not get the news."""
    got, statuses = answers_in_words(film.answers), {answer.status for answer in film.answers}
    bodies = [str(answer.body) for answer in film.answers]
    if statuses == {200} and set(bodies) == {""}:
        waited = film.together == 3
        case.refuse(NOTHING_WRITTEN if waited else RETURNED_TOO_EARLY, expected, got)
    if any("callable" in error.text for error in case.errors) or "too late" in bodies:
        case.refuse(CALLED_AT_ONCE, expected, case.with_error(got))
    boxes = ("bytes, unicode, and dict", "is not JSON serializable", "concatenate str")
    if any(box in error.text for error in case.errors for box in boxes) or "<Future" in str(
        bodies
    ):
        case.refuse(BOX_IN_A_BOX, expected, got)
    if any("InvalidState" in error.text for error in case.errors):
        case.refuse(CALLED_AT_ONCE, expected, case.with_error(got))
    case.refuse_if_anything_went_wrong(expected)
    if statuses == {NO_ANSWER}:
        asks = case.uses("add_future", "add_done_callback")
        case.refuse(PROMISE_NOT_KEPT if asks else NEWS_AT_THE_DEADLINE, expected, got)
    case.refuse(None, expected, got)


def _nothing_twice(
    case: Case, film: Film, wanted: str, mistake: Mistake, expected: str
) -> None:
    twice = ("InvalidStateError", "finish")
    if any(word in error.text for error in case.errors for word in twice):
        case.refuse(mistake, expected, case.with_error(answers_in_words(film.answers)))
    case.refuse_if_anything_went_wrong(expected, film)
    if film.answers != [Answer(200, wanted)]:
        case.refuse(None, expected, answers_in_words(film.answers))
