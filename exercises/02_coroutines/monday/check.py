"""A table of many addresses: asked a few at a time, and with what became of each."""

from __future__ import annotations

import ast
import inspect
import socket
from asyncio import Task
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from tornado.httpclient import HTTPError

from classroom.examining.case import Case, turns, until
from classroom.examining.clockwork import let_pass
from classroom.examining.kinds import code_exercise
from classroom.examining.mistakes import ASKS_TWICE, FIXED_TIME, POLLS
from classroom.examining.rendering import described, shown
from classroom.examining.verdict import Mistake
from loopfilm import running
from stormy_demo.backend import Backend

from ..bounds import (
    ANOTHER_CLIENT,
    ASKED_WITHOUT_TOKEN,
    BATCHES,
    CHANGES_THE_CLIENT,
    FIXED_SHARES,
    LET_GO_EARLY,
    LOST_TOKEN,
    NEVER_GIVEN_BACK,
    NO_BOUND,
    ONE_AFTER_ANOTHER,
    ONE_TOKEN_FOR_ALL,
    OTHER_BOUND,
    SEMAPHORE_FOR_EACH,
    watched_semaphores,
    why_not_the_next,
    why_too_few,
    why_too_many,
)
from ..questions import (
    ADDRESSES,
    AWAITS_A_LIST,
    GATHERS_A_LIST,
    LOOKS_TOO_EARLY,
    NOT_STARTED,
    ORDER_OF_COMING,
    PROMISES,
    RESULTS_NOT_READ,
    TASK_OF_A_FUTURE,
    Client,
    begin,
    gave_up,
    judge,
    new_client,
    questions,
    refuse_if_asked_twice,
    refuse_if_changed,
    with_patience,
)

ONE_FAILS_ALL = Mistake(
    "one_fails_all",
    "one failure that takes the whole table with it",
    (
        "One address fails. Where does its exception go, and what becomes of the other rows?",
        "Catch it where it happens: a `try` around the `await` in the coroutine that asks "
        "about one address. Or give `return_exceptions=True` to `gather`.",
    ),
)
CATCHES_TOO_LITTLE = Mistake(
    "catches_too_little",
    "an `except` that lets some of the errors pass",
    (
        "Which exceptions does your `except` name, and of which kind is the one that came?",
        "A bad answer raises Tornado's `HTTPError`; where nobody listens it is an `OSError`, "
        "and for an address that is none a `ValueError`. `except Exception` takes all three.",
    ),
)
LOST_ROWS = Mistake(
    "lost_rows",
    "failures that are not in the table",
    (
        "How many rows has a table of addresses of which some fail?",
        "One for each address. The second of a pair that failed is `str(error)`.",
    ),
)
EXCEPTIONS = Mistake(
    "exceptions",
    "exceptions where their words were wanted",
    (
        "What stands in the second place: words, or something that has words?",
        "`str(error)` gives the words of an exception.",
    ),
)
CALLS_IT_OK = Mistake(
    "calls_it_ok",
    "an error that counts as an answer",
    (
        "An address answers with the status 500. Does your code look at that?",
        "`fetch` raises an `HTTPError` for it by itself, unless it was told "
        "`raise_error=False`.",
    ),
)
OTHER_WORDS = Mistake(
    "other_words",
    "other words in the table than were asked for",
    (
        "Read the task once more: what stands in the second place of a pair?",
        '`"ok"` for an address that answers, or else `str(error)`.',
    ),
)
NO_TABLE = Mistake(
    "no_table",
    "something that is no list of pairs",
    (
        "What does `report` return, and what is in it?",
        "A list, and in it for each address a pair: `(url, words)`.",
    ),
)

N = 10
PEOPLE = [f"p{n}" for n in range(24)]
EXPECTED = "a table with a pair for each address, in the order of `urls`"


class Row(NamedTuple):
    """What the table says of an address.

    Attributes:
        url: the address.
        fails: whether there is an error in the place of an answer.
    """

    url: str
    fails: bool


@code_exercise(
    (
        "Two things are needed: a coroutine that asks about one address and always returns a "
        "pair, and something that starts it for all.",
        "`ask_politely`, in section 5, waits for a token. Put a `try` around its `await`.",
        "In `report`, make a semaphore of ten tokens, and write an `async def row(url)` that "
        'returns `(url, "ok")`, or `(url, str(error))` in an `except Exception as error`. Give '
        "one call for each address to `asyncio.gather`.",
    ),
    ONE_FAILS_ALL,
    CATCHES_TOO_LITTLE,
    LOST_ROWS,
    EXCEPTIONS,
    CALLS_IT_OK,
    OTHER_WORDS,
    NO_TABLE,
    NO_BOUND,
    SEMAPHORE_FOR_EACH,
    LET_GO_EARLY,
    ONE_TOKEN_FOR_ALL,
    ASKED_WITHOUT_TOKEN,
    NEVER_GIVEN_BACK,
    LOST_TOKEN,
    ONE_AFTER_ANOTHER,
    OTHER_BOUND,
    BATCHES,
    FIXED_SHARES,
    FIXED_TIME,
    ASKS_TWICE,
    POLLS,
    ANOTHER_CLIENT,
    CHANGES_THE_CLIENT,
    PROMISES,
    RESULTS_NOT_READ,
    LOOKS_TOO_EARLY,
    AWAITS_A_LIST,
    GATHERS_A_LIST,
    TASK_OF_A_FUTURE,
    NOT_STARTED,
    ADDRESSES,
    ORDER_OF_COMING,
    another_way=(
        "Another right way: `asyncio.gather(..., return_exceptions=True)` gives the errors "
        "among the answers, and the table is made of them afterwards."
    ),
    known_by="return_exceptions",
    instead=(
        "Another right way: a `try` around the `await` in the coroutine that asks, which then "
        "always returns a row of the table."
    ),
)
async def monday(case: Case) -> None:
    """Hold the first address, and answer the others one by one; then fewer than ten."""
    report = case.function("report")
    with _nobody() as nobody:
        case.tries(
            f"{len(PEOPLE)} addresses. One fails with a 500, one closes the connection, and at "
            "one nobody listens; one is misspelt. The first takes long; the others are "
            "answered one by one."
        )
        await with_patience(case, partial(_gives_up, case, report, nobody))

        case.tries("three addresses, all of them good.")
        client = new_client()
        async with running(Backend().app) as url:
            urls = questions(url, ["ada", "grace", "alan"])
            asking = begin(report, client, urls)
            await until(asking.done)
        _judge(case, client, asking, [Row(u, False) for u in urls])


@contextmanager
def _nobody() -> Iterator[str]:
    """Give an address at which nobody listens, while the block lasts."""
    with socket.socket() as taken:
        # It is bound, so that nobody else gets the port, and does not listen.
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/profile?user=nobody"


async def _gives_up(case: Case, report: Any, nobody: str, takes: float) -> bool:
    """Try it with a backend that takes some time; return whether that was too long."""
    backend = Backend(hold=True, fail=["friends"], drop=["messages"])
    # What the backend writes down about its 500 was not printed by the learner.
    backend.app.settings["log_function"] = lambda _: None
    async with running(backend.app) as url:
        urls = questions(url, PEOPLE)
        urls[2] = f"{url}/friends?user=p2"
        urls[7] = f"{url}/messages?user=p7"
        # They are the last, since they fail by themselves: no script decides when.
        urls[-2:] = ["htp://127.0.0.1/profile?user=p22", nobody]
        wrong = (2, 7, len(urls) - 2, len(urls) - 1)
        rows = [Row(u, place in wrong) for place, u in enumerate(urls)]
        return await _one_is_slow(case, report, backend, rows, takes)


async def _one_is_slow(
    case: Case, report: Any, backend: Backend, rows: Sequence[Row], takes: float
) -> bool:
    client = new_client()
    there = len(rows) - 2
    by_themselves = [row.url for row in rows[there:]]
    urls = [row.url for row in rows]

    async def come(count: int) -> bool:
        """Wait until so many questions have come, and object to what is wrong by then."""
        await until(lambda: len(backend.asked) >= count or asking.done())
        await turns()
        if backend.asked and not client.asked:
            got = "they come from somewhere else"
            case.refuse(ANOTHER_CLIENT, "the addresses are asked with `client`", got)
        refuse_if_asked_twice(case, client)
        if client.most > N:
            why_too_many(case, client, N, len(rows), bowls)
        if asking.done():
            _judge(case, client, asking, rows)
        return len(backend.asked) >= count

    def answers() -> int:
        return sum(url not in by_themselves for url in client.came)

    with watched_semaphores(client) as bowls:
        asking = begin(report, client, urls)
        if not await come(N):
            await why_too_few(case, len(backend.asked), N, bowls, report)
        await case.refuse_if_it_polls(EXPECTED)
        let_pass(takes)
        await turns()
        if takes and gave_up(client, asking):
            return True
        if asking.done() and not asking.cancelled() and not asking.exception():
            got = f"it returns while {len(client.asked) - len(client.came)} are under way"
            case.refuse(FIXED_TIME, "your function waits for the answers", got)
        for answered in range(1, there):
            backend.release(backend.asked[answered])
            await until(lambda answered=answered: answers() >= answered)  # type: ignore[misc]
            if not await come(min(N + answered, there)):
                if bowls.given_back and case.uses("acquire"):
                    got = f"{answered} are done, some of them failed, and nothing else is asked"
                    case.refuse(LOST_TOKEN, "whenever one is done, the next one is asked", got)
                why_not_the_next(case, answered, bowls)
        backend.release(backend.asked[0])
        await until(asking.done)
        _judge(case, client, asking, rows)
        refuse_if_changed(case, urls, [row.url for row in rows])
    return False


def _judge(case: Case, client: Client, asking: Task[Any], rows: Sequence[Row]) -> None:
    """Refuse what the learner's function gave, if it is no such table."""
    if not asking.done() or asking.cancelled():
        judge(case, asking, [], EXPECTED)
    if asking.exception():
        _why_an_error(case, asking)
    given = asking.result()
    if isinstance(given, list | tuple) and any(inspect.isawaitable(each) for each in given):
        judge(case, asking, [], EXPECTED)
    if given is None and case.uses("create_task", "TaskGroup"):
        judge(case, asking, [], EXPECTED)
    if not isinstance(given, list | tuple):
        case.refuse(NO_TABLE, EXPECTED, f"it returned {shown(given)}")
    for each in given:
        if each is None:
            case.refuse(LOST_ROWS, EXPECTED, "None in the place of a row")
        if not (isinstance(each, list | tuple) and len(each) == 2):
            got = f"in the list is {shown(each)}"
            case.refuse(EXCEPTIONS if isinstance(each, Exception) else NO_TABLE, EXPECTED, got)
    _judge_rows(case, client, [tuple(each) for each in given], rows)
    case.refuse_if_anything_went_wrong(EXPECTED)


def _judge_rows(
    case: Case, client: Client, given: Sequence[tuple[Any, Any]], rows: Sequence[Row]
) -> None:
    urls, wanted = [url for url, _ in given], [row.url for row in rows]
    if len(urls) < len(wanted):
        got = f"{len(urls)} rows for {len(wanted)} addresses"
        case.refuse(LOST_ROWS, EXPECTED, got)
    if urls != wanted:
        mixed = sorted(map(str, urls)) == sorted(wanted)
        got = "the rows are in another order" if mixed else "other addresses"
        case.refuse(ORDER_OF_COMING if mixed else NO_TABLE, EXPECTED, got)
    for (url, words), row in zip(given, rows, strict=True):
        got = f"{shown(words)}, for an address that {'fails' if row.fails else 'answers'}"
        if inspect.isawaitable(words):
            case.refuse(PROMISES, EXPECTED, got)
        if not row.fails:
            if words != "ok":
                case.refuse(OTHER_WORDS, f'"ok" for {url}', got)
            continue
        if words == "ok":
            case.refuse(CALLS_IT_OK, "the words of the error", got)
        if isinstance(words, BaseException):
            case.refuse(EXCEPTIONS, "the words of the error", got)
        # Whoever did not ask at an address has no error to tell of it.
        said, with_name = client.errors.get(url, ("", ""))
        if not (words and isinstance(words, str)) or (said and words != said):
            if isinstance(words, str) and with_name != said and with_name in words:
                got += "\nThat is how `repr` shows it."
            expected = "the words of the error, `str(error)`"
            if said:
                expected += f": {shown(said)}"
            case.refuse(OTHER_WORDS, expected, got)


def _why_an_error(case: Case, asking: Task[Any]) -> None:
    error = asking.exception()
    # A task group wraps the exceptions of its tasks.
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    kinds = HTTPError | OSError | ValueError
    ours = not isinstance(error, ValueError) or "url scheme" in str(error)
    if isinstance(error, kinds) and ours and not isinstance(error, TimeoutError):
        named = [n.type for n in ast.walk(case.tree) if isinstance(n, ast.ExceptHandler)]
        some = any(n and ast.unparse(n) not in ("Exception", "BaseException") for n in named)
        text, where = described(error), case.line_of(error)
        got = f"{text} ({where})" if where else text
        case.refuse(CATCHES_TOO_LITTLE if some else ONE_FAILS_ALL, EXPECTED, got)
    judge(case, asking, [], EXPECTED)
