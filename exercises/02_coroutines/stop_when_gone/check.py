"""A search for a visitor who may leave before it is done."""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient, HTTPError
from tornado.web import Application, RequestHandler

from classroom.examining.case import Case, turns, until
from classroom.examining.clockwork import LONG, let_pass
from classroom.examining.kinds import code_exercise, names
from classroom.examining.mistakes import (
    ASKS_TWICE,
    FIXED_TIME,
    FORGOTTEN_AWAIT,
    HOLDS,
    POLLS,
    SHORT_DEADLINE,
    TASK_LEFT,
)
from classroom.examining.rendering import GIVE_UP_AFTER, answers_in_words, shown
from classroom.examining.verdict import Mistake
from loopfilm import Answer, running

PAGES = ("a hen and a hawk", "a fox", "two hens", "a fox and a hen")
FOUND = {"found": [1, 3]}
# The page at which the visitor leaves, and at which the archive fails.
LAST = 1

GOES_ON = Mistake(
    "goes_on",
    "a search that goes on for nobody",
    (
        "The visitor has left. Who tells the search?",
        "Tornado calls `on_connection_close`. That can cancel the task of `get`, if somebody "
        "kept it.",
        "In `get`: `self.task = asyncio.current_task()`. In `on_connection_close`: "
        "`self.task.cancel()`.",
    ),
)
WRONG_TASK = Mistake(
    "wrong_task",
    "the wrong task, or none",
    (
        "Tornado calls `on_connection_close`, not your `get`. Which task is the current one "
        "there?",
        "Ask for it in `get`, and keep it in `self.task`.",
    ),
)
SHARED_TASK = Mistake(
    "shared_task",
    "one place for the tasks of all visitors",
    (
        "Two people search at once. Whose task is it that you have kept?",
        "Each request has a handler of its own. Keep its task in `self.task`.",
    ),
)
LOOKS_LATER = Mistake(
    "looks_later",
    "a flag that nobody looks at for the time being",
    (
        "When does the search look at the flag next? It stands at an `await`, and waits for "
        "a page that does not come.",
        "Only a cancellation reaches it there. Keep the task of `get`, and cancel it.",
    ),
)
SWALLOWED = Mistake(
    "swallowed",
    "a cancellation that is caught and forgotten",
    (
        "`cancel` raised a `CancelledError` at the `await`. What did your code do with it?",
        "Let it pass, or raise it again. To tidy up, `finally` is enough.",
    ),
)
NOT_CLOSED = Mistake(
    "not_closed",
    "an archive that is not closed in every case",
    (
        "Which lines are left out when an `await` raises an exception?",
        "What must happen whatever comes stands in `finally`.",
    ),
)
HIDES_ERROR = Mistake(
    "hides_error",
    "a search that hides that it failed",
    (
        "A page could not be read, and the visitor is told that all is well. Which `except` "
        "does that?",
        "Let the exception pass: Tornado makes a 500 of it, and `finally` closes the archive.",
    ),
)
CLOSED_TWICE = Mistake(
    "closed_twice",
    "an archive that is closed twice",
    (
        "How many of your lines close it, and which of them are reached?",
        "`finally` in `get` is reached in every case, and is enough.",
    ),
)
ASYNC_METHOD = Mistake(
    "async_method",
    "an `async def` where a plain method is called",
    (
        "Tornado calls `on_connection_close`, and awaits nothing. What does a call of an "
        "`async def` give, and what of it is run?",
        "Leave it a plain `def`: `cancel()` only leaves a note, and needs no `await`.",
    ),
)
FINISHES = Mistake(
    "finishes",
    "an answer that is finished, and a search that is not",
    (
        "`finish` and `send_error` end the answer. Who told `get` that it can stop?",
        "There is nobody left to answer. Cancel the task of `get`: `self.task.cancel()`.",
    ),
)
CLOSED_EARLY = Mistake(
    "closed_early",
    "an archive that is closed while the search goes on",
    (
        "`on_connection_close` closes the archive. Does `get` hear of that?",
        "Cancel the task of `get` there, and leave the closing to its `finally`.",
    ),
)


class Archive:
    """An archive whose page `LAST` may be scripted.

    Attributes:
        asked: the numbers of the pages that were asked for, in that order.
        waited_for: how many pages are.
        cancelled: those of which the asker was cancelled while it waited.
        closed: how often it was closed.
        too_early: a page was waited for when it was closed.
        gate: once set, page `LAST` comes.
        fails: page `LAST` cannot be read.
    """

    pages = len(PAGES)

    def __init__(self, *, waits: bool = False, fails: bool = False) -> None:
        self.asked: list[int] = []
        self.cancelled: list[int] = []
        self.closed = 0
        self.too_early = False
        self.waited_for = 0
        self.fails = fails
        self.gate = asyncio.Event()
        if not waits:
            self.gate.set()

    async def page(self, number: int) -> str:
        """Return the text of a page, once it is there."""
        self.asked.append(number)
        self.waited_for += 1
        try:
            await asyncio.sleep(0)
            if number == LAST:
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise
        finally:
            self.waited_for -= 1
        if self.fails and number == LAST:
            raise OSError("the page cannot be read")
        return PAGES[number]

    def close(self) -> None:
        """Count the closing."""
        self.closed += 1
        self.too_early = self.too_early or self.waited_for > 0


class _End:
    """How a `get` ended.

    Attributes:
        is_there: whether it has.
        in_silence: whether it was cancelled, and went on to its end as if it were not.
    """

    is_there = False
    in_silence = False


def _watched(handler: type[RequestHandler], end: _End) -> type[RequestHandler]:
    """Return a handler that does the same, and says how its `get` has ended."""

    class Watched(handler):  # type: ignore[misc, valid-type]
        async def get(self, *args: Any) -> None:
            try:
                result = super().get(*args)
                if inspect.isawaitable(result):
                    await result
                task = asyncio.current_task()
                end.in_silence = bool(task and task.cancelling())
            finally:
                end.is_there = True

    # Messages of exceptions have the class's name.
    Watched.__name__ = handler.__name__
    return Watched


def _has_a_second_task(tree: ast.Module) -> bool:
    """Return whether a task is made, and that of the request not kept."""
    known = names(tree)
    return "current_task" not in known and not known.isdisjoint(
        {"create_task", "ensure_future"}
    )


@code_exercise(
    (
        "`Attentive`, above, stops when its visitor leaves. What does its `get` keep, and who "
        "uses that?",
        "In `get`, keep `asyncio.current_task()`; in `on_connection_close`, cancel it.",
        "Put the search into `try`, and `self.archive.close()` into its `finally`.",
    ),
    GOES_ON,
    WRONG_TASK,
    SHARED_TASK,
    LOOKS_LATER,
    SWALLOWED,
    NOT_CLOSED,
    HIDES_ERROR,
    CLOSED_TWICE,
    CLOSED_EARLY,
    FORGOTTEN_AWAIT,
    ASKS_TWICE,
    ASYNC_METHOD,
    FINISHES,
    FIXED_TIME,
    POLLS,
    SHORT_DEADLINE,
    TASK_LEFT,
    another_way=(
        "Another right way: give the search to a task of its own, with `asyncio.create_task`; "
        "await it in `get`, and cancel it."
    ),
    known_by=_has_a_second_task,
    instead=(
        "Another right way: no second task. `get` runs in one already: keep "
        "`asyncio.current_task()`, and cancel that."
    ),
)
async def stop_when_gone(case: Case) -> None:
    """One visitor stays, one leaves while another stays, and one finds a broken archive."""
    case.if_stuck = HOLDS
    handler = case.handler("Search")
    if inspect.iscoroutinefunction(handler.on_connection_close):
        expected = "`on_connection_close` is a plain method"
        case.refuse(ASYNC_METHOD, expected, "it is an `async def`")

    case.tries("Ada looks for a fox in four pages, and stays.")
    expected = f"she reads {shown(FOUND)}, and the archive is closed once"
    archive = Archive()
    film = await case.visits(_app(handler, archive), ["/?word=fox"])
    if film.answers != [Answer(200, FOUND)]:
        if film.answers == [Answer(200, "")] and case.uses("create_task", "ensure_future"):
            case.refuse(TASK_LEFT, expected, case.with_error(answers_in_words(film.answers)))
        case.refuse_if_anything_went_wrong(expected)
        case.refuse(None, expected, answers_in_words(film.answers))
    if {*archive.asked} != {*range(archive.pages)}:
        expected = "every page is asked for"
        case.refuse(None, expected, f"the pages {archive.asked} are asked for")
    if len(archive.asked) > archive.pages:
        expected = "every page is asked for once"
        case.refuse(ASKS_TWICE, expected, f"the pages {archive.asked} are asked for")
    await turns()
    _closed_once(case, archive, expected)
    case.refuse_if_anything_went_wrong(expected)

    await _leave(case, handler)

    case.tries("Ada looks for a fox, and the second page raises an `OSError`.")
    expected = "the archive is closed once, whatever happens"
    archive = Archive(fails=True)
    film = await case.visits(_app(handler, archive), ["/?word=fox"])
    await turns()
    _closed_once(case, archive, expected)
    if film.answers[0].status < 500:
        case.refuse(HIDES_ERROR, "she gets a 500", answers_in_words(film.answers))


def _app(handler: type[RequestHandler], archive: Archive) -> Application:
    return Application([(r"/", handler, {"archive": archive})])


async def _leave(case: Case, handler: type[RequestHandler]) -> None:
    """Have one visitor leave, and the other stay."""
    case.tries(
        "Ada and Grace look for a fox, each in an archive of her own. When both wait for "
        "the second page, which does not come, Ada leaves."
    )
    expected = "Ada's search ends, and her archive is closed once"
    hers, other = Archive(waits=True), Archive(waits=True)
    end = _End()
    app = Application(
        [
            (r"/ada", _watched(handler, end), {"archive": hers}),
            (r"/grace", handler, {"archive": other}),
        ]
    )
    try:
        async with running(app) as url:
            try:
                client = AsyncHTTPClient(force_instance=True)
                leave = await _come(url, hers)
                # The checker has a deadline of its own; the client's would come before it.
                stays = client.fetch(
                    f"{url}/grace?word=fox", request_timeout=60, raise_error=False
                )
                await until(lambda: LAST in other.asked)
                await turns()
                await case.refuse_if_it_polls("both searches wait for their page")
                let_pass()
                await turns()
                if end.is_there or hers.cancelled:
                    expected = "the search waits for its page, however long that takes"
                    got = f"it gives up within {LONG:g} seconds"
                    late = any(each.text.startswith("TimeoutError") for each in case.errors)
                    hears = (
                        handler.on_connection_close is not RequestHandler.on_connection_close
                    )
                    mistake = (SHORT_DEADLINE if hears else GOES_ON) if late else FIXED_TIME
                    case.refuse(mistake, expected, case.with_error(got))
                before = len(hers.asked)
                leave()
                await until(lambda: bool(end.is_there and hers.closed))
                after = await _afterwards(hers, before, end)
                if other.cancelled and not hers.cancelled:
                    case.refuse(SHARED_TASK, expected, "Grace's search is cancelled")
                _look_at_the_end(case, handler, hers, after, expected)

                expected = f"Grace, who stays, reads {shown(FOUND)}, and her archive is closed"
                other.gate.set()
                response = await asyncio.wait_for(stays, GIVE_UP_AFTER)
                await turns()
                if response.code != 200 or json_decode(response.body) != FOUND:
                    case.refuse_if_anything_went_wrong(expected)
                    got = f"{response.code} and {shown(response.body)}"
                    case.refuse(None, expected, got)
                _closed_once(case, other, expected)
                case.refuse_if_anything_went_wrong(expected)
            finally:
                # Without this, leaving the block would wait for searches that nobody wants.
                hers.gate.set()
                other.gate.set()
                client.close()
    except asyncio.CancelledError:
        # An answer that cancels all tasks cancels the checker's too.
        if task := asyncio.current_task():
            task.uncancel()
        case.refuse(WRONG_TASK, expected, "everything that was under way is cancelled")
    except (HTTPError, OSError, ValueError) as error:
        case.refuse(None, expected, f"Grace has no answer ({type(error).__name__})")


async def _come(url: str, archive: Archive) -> Callable[[], None]:
    """Ask, wait until page `LAST` is asked for, and return how to leave."""
    place = urlsplit(url)
    _, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(f"GET /ada?word=fox HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
    await until(lambda: LAST in archive.asked)
    return writer.close


class _Afterwards(NamedTuple):
    """What became of a search whose visitor has left.

    Attributes:
        ended: whether it ended, while page `LAST` did not come.
        closed: how often it had closed the archive by then.
        in_silence: whether it was cancelled then, and nobody can know.
        more: the pages that it asked for since, also when page `LAST` came after all.
    """

    ended: bool
    closed: int
    in_silence: bool
    more: list[int]


async def _afterwards(archive: Archive, before: int, end: _End) -> _Afterwards:
    ended, closed = end.is_there, archive.closed
    archive.gate.set()
    for _ in range(4):
        await turns()
    return _Afterwards(ended, closed, end.in_silence, archive.asked[before:])


def _look_at_the_end(
    case: Case,
    handler: type[RequestHandler],
    archive: Archive,
    after: _Afterwards,
    expected: str,
) -> None:
    """Refuse a search that did not end with its visitor, or not well."""
    # A cancelled task ends like this, and Tornado logs it.
    case.errors[:] = [e for e in case.errors if not e.text.startswith("CancelledError")]
    if after.ended and after.closed == archive.closed == 1 and not after.more:
        if after.in_silence:
            expected = "her `get` ends with the `CancelledError`"
            got = "it is cancelled, and goes on to its end as if nothing had happened"
            case.refuse(SWALLOWED, expected, got)
        case.refuse_if_anything_went_wrong(expected)
        if archive.too_early and case.uses("close", inside="on_connection_close"):
            got = "it is closed while her search still waits for a page"
            case.refuse(CLOSED_EARLY, expected, got)
        return
    goes_on = f"after she has left, her search asks for the pages {after.more}"
    if archive.cancelled:
        if after.more:
            case.refuse(SWALLOWED, expected, goes_on)
        _closed_once(case, archive, expected)
        case.refuse(None, expected, case.with_error("the search does not end"))
    got = goes_on if after.more else f"after {GIVE_UP_AFTER:g} seconds her search still waits"
    if handler.on_connection_close is RequestHandler.on_connection_close:
        case.refuse(GOES_ON, expected, got)
    if case.uses("current_task", inside="on_connection_close"):
        case.refuse(WRONG_TASK, expected, case.with_error(got))
    if any("has no attribute 'cancel'" in error.text for error in case.errors):
        case.refuse(WRONG_TASK, expected, case.with_error(got))
    if case.uses("finish", "send_error", inside="on_connection_close"):
        case.refuse(FINISHES, expected, case.with_error(got))
    case.refuse_if_anything_went_wrong(expected)
    if after.closed:
        case.refuse(CLOSED_EARLY, expected, f"the archive is closed, and {got}")
    flag = case.uses(ast.Assign, "set", "set_result", inside="on_connection_close")
    if flag and not case.uses("cancel"):
        case.refuse(LOOKS_LATER, expected, got)
    case.refuse(GOES_ON, expected, got)


def _closed_once(case: Case, archive: Archive, expected: str) -> None:
    if archive.closed == 0:
        case.refuse(NOT_CLOSED, expected, "the archive is not closed")
    if archive.closed > 1:
        case.refuse(CLOSED_TWICE, expected, f"the archive is closed {archive.closed} times")
