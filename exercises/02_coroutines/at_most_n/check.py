"""Many questions, and never more than some of them under way at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from classroom.examining.case import Case, turns, until
from classroom.examining.clockwork import LONG, let_pass
from classroom.examining.kinds import code_exercise
from classroom.examining.mistakes import ASKS_TWICE, FIXED_TIME, POLLS
from classroom.examining.rendering import shown
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
    WORKER_DIES,
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
    RESPONSES,
    RESULTS_NOT_READ,
    TASK_OF_A_FUTURE,
    begin,
    bodies,
    gave_up,
    judge,
    new_client,
    questions,
    refuse_if_asked_twice,
    refuse_if_changed,
    with_patience,
)

HIDES_ERRORS = Mistake(
    "hides_errors",
    "an exception that nobody hears of",
    (
        "A question fails. What stands in its place in the list, and who can tell that from a "
        "body?",
        "Let the exception pass: no `except`, and no `raise_error=False`. The token is given "
        "back all the same, at the end of `async with`.",
    ),
)

MANY = [f"p{n}" for n in range(12)]


@code_exercise(
    (
        "Two things are needed: something that starts all, and something that keeps back.",
        "`ask_politely`, above, waits for a token before it asks. Where must the bowl be made, "
        "so that all share it and it has `n` tokens?",
        "Make the semaphore in `ask_all`, write an `async def` inside it that asks one "
        "question, and give one call for each question to `asyncio.gather`.",
    ),
    NO_BOUND,
    SEMAPHORE_FOR_EACH,
    LET_GO_EARLY,
    ONE_TOKEN_FOR_ALL,
    ASKED_WITHOUT_TOKEN,
    NEVER_GIVEN_BACK,
    ONE_AFTER_ANOTHER,
    OTHER_BOUND,
    BATCHES,
    FIXED_SHARES,
    ANOTHER_CLIENT,
    CHANGES_THE_CLIENT,
    PROMISES,
    RESULTS_NOT_READ,
    LOOKS_TOO_EARLY,
    AWAITS_A_LIST,
    GATHERS_A_LIST,
    TASK_OF_A_FUTURE,
    ORDER_OF_COMING,
    RESPONSES,
    ADDRESSES,
    ASKS_TWICE,
    FIXED_TIME,
    HIDES_ERRORS,
    LOST_TOKEN,
    NOT_STARTED,
    POLLS,
    WORKER_DIES,
    another_way=(
        "Another right way: a semaphore with `n` tokens, and a coroutine for each address, "
        "which asks while it has one of them: `async with tokens`."
    ),
    known_by="Semaphore BoundedSemaphore",
    instead=(
        "Another right way: `n` workers, each of which takes the next address from one list "
        "until there is none left."
    ),
)
async def at_most_n(case: Case) -> None:
    """Hold the first question, and answer the others one by one; then smaller numbers."""
    ask_all = case.function("ask_all")

    case.tries(
        "twelve questions, and n is 3. The first to come waits long for its answer; the others "
        "are answered one by one."
    )
    await with_patience(case, partial(_gives_up, case, ask_all, 3))

    case.tries("three questions, and n is 1.")
    await _answered_at_once(case, ask_all, ["ada", "grace", "alan"], 1)

    case.tries("two questions, and n is 5.")
    await _answered_at_once(case, ask_all, ["ada", "grace"], 5)

    case.tries("three questions, and n is 1. The first one fails, with a 404.")
    await _one_fails(case, ask_all)


async def _gives_up(case: Case, ask_all: Callable[..., Any], n: int, takes: float) -> bool:
    """Try it with a backend that takes some time; return whether that was too long."""
    backend, client = Backend(hold=True), new_client()
    wanted = "the bodies of all twelve answers, in the order of `urls`"

    async def come(count: int) -> bool:
        """Wait until so many questions have come, and object to what is wrong by then."""
        await until(lambda: len(backend.asked) >= count or asking.done())
        await turns()
        if backend.asked and not client.asked:
            got = "they come from somewhere else"
            case.refuse(ANOTHER_CLIENT, "the questions are asked with `client`", got)
        if client.most > n:
            why_too_many(case, client, n, len(MANY), bowls)
        refuse_if_asked_twice(case, client)
        if asking.done():
            judge(case, asking, bodies(MANY), wanted)
        return len(backend.asked) >= count

    with watched_semaphores(client) as bowls:
        async with running(backend.app) as url:
            urls = questions(url, MANY)
            asking = begin(ask_all, client, urls, n)
            if not await come(n):
                await why_too_few(case, len(backend.asked), n, bowls, ask_all, n)
            await case.refuse_if_it_polls(wanted)
            let_pass(takes)
            await turns()
            if takes and gave_up(client, asking):
                return True
            if takes and (client.most > n or asking.done()):
                got = f"after {LONG:g} seconds, when no answer has come, your function goes on"
                case.refuse(FIXED_TIME, f"never more than {n} under way at once", got)
            for answered in range(1, len(MANY)):
                backend.release(backend.asked[answered])
                await until(lambda came=answered: len(client.came) >= came)  # type: ignore[misc]
                if not await come(min(n + answered, len(MANY))):
                    why_not_the_next(case, answered, bowls)
            backend.release(backend.asked[0])
            await until(asking.done)
            judge(case, asking, bodies(MANY), wanted)
            refuse_if_changed(case, urls, questions(url, MANY))
    return False


async def _answered_at_once(
    case: Case, ask_all: Callable[..., Any], people: list[str], n: int
) -> None:
    client = new_client()
    async with running(Backend().app) as url:
        asking = begin(ask_all, client, questions(url, people), n)
        await until(asking.done)
    if client.most > n:
        expected = f"never more than {n} under way at once"
        case.refuse(OTHER_BOUND, expected, f"{client.most} at once")
    judge(case, asking, bodies(people), "the bodies of all answers, in the order of `urls`")


async def _one_fails(case: Case, ask_all: Callable[..., Any]) -> None:
    client = new_client()
    with watched_semaphores(client) as bowls:
        async with running(Backend().app) as url:
            fails = f"{url}/nothing?user=ada"
            asking = begin(ask_all, client, [fails, *questions(url, ["grace", "alan"])], 1)
            await until(lambda: asking.done() and not (bowls.held or case.has_tasks_left()))
            expected = "its exception comes out of your function, and its token is given back"
            got = "your function never ends"
            if asking.done():
                got = "the exception comes, and the others wait for their turn for ever"
            if bowls.held or (case.has_tasks_left() and not case.uses("Queue")):
                case.refuse(LOST_TOKEN, expected, got)
            if not asking.done():
                case.refuse(WORKER_DIES, expected, got)
            # Which exception it is, is not a matter of this exercise.
            if not (asking.cancelled() or asking.exception()):
                case.refuse(HIDES_ERRORS, expected, f"it returns {shown(asking.result())}")
