"""Many questions, and never more than some of them under way at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from classroom.examining.case import Case, turns, until
from classroom.examining.kinds import code_exercise
from classroom.examining.verdict import Mistake
from loopfilm import running
from stormy_demo.backend import Backend

from ..questions import (
    AWAITS_A_LIST,
    GATHERS_A_LIST,
    LOOKS_TOO_EARLY,
    ORDER_OF_COMING,
    PROMISES,
    RESPONSES,
    RESULTS_NOT_READ,
    TASK_OF_A_FUTURE,
    Client,
    begin,
    bodies,
    judge,
    new_client,
    questions,
    so_few,
    staircase,
)

NO_BOUND = Mistake(
    "no_bound",
    "questions that are all asked at once",
    (
        "Who keeps the last question waiting until an earlier one is answered?",
        "A semaphore of `n` tokens does: each question takes one and gives it back when it is "
        "answered.",
    ),
)
SEMAPHORE_FOR_EACH = Mistake(
    "semaphore_for_each",
    "a bowl of tokens for each question",
    (
        "How many semaphores are made when twelve questions are asked?",
        "All must take from the same bowl: make it once, in `ask_all`, before you start.",
    ),
)
LET_GO_EARLY = Mistake(
    "let_go_early",
    "a token that is given back before the answer is there",
    (
        "When is the `async with` block over: when a question is started, or when it is "
        "answered?",
        "The `await` for the answer belongs inside the block.",
    ),
)
ONE_TOKEN_FOR_ALL = Mistake(
    "one_token_for_all",
    "one token for all questions together",
    (
        "How many tokens are taken when twelve questions are asked?",
        "Each question needs a token of its own: write an `async def` that asks one question "
        "inside `async with`, and start that for each.",
    ),
)
ASKED_WITHOUT_TOKEN = Mistake(
    "asked_without_token",
    "a question that is asked before it has a token",
    (
        "When does `fetch` start its question: when you call it, or when you await it?",
        "When you call it. So `client.fetch(...)` itself belongs inside `async with`, with "
        "its `await`.",
    ),
)
NEVER_GIVEN_BACK = Mistake(
    "never_given_back",
    "a token that is taken and never given back",
    (
        "The bowl is empty. Who puts a token back?",
        "`async with tokens:` takes one, and gives it back at the end of its block.",
    ),
)
ONE_AFTER_ANOTHER = Mistake(
    "one_after_another",
    "one `await` after another",
    (
        "A semaphore only keeps things back. Who starts the second question while the first "
        "is under way?",
        "Start a coroutine for each question, all at once, and let each of them wait for its "
        "token.",
    ),
)
OTHER_BOUND = Mistake(
    "other_bound",
    "a bound that is not `n`",
    (
        "Count how many of yours may be under way at once, and compare it with `n`.",
        "`asyncio.Semaphore(n)` has exactly `n` tokens.",
    ),
)
BATCHES = Mistake(
    "batches",
    "batches, in which the slowest holds up the next",
    (
        "One is answered, and there is room for another. What is that one waiting for?",
        "Do not wait for a whole batch. Start a coroutine for each question, and let each wait "
        "for a token of its own.",
    ),
)
FIXED_SHARES = Mistake(
    "fixed_shares",
    "shares that are dealt out beforehand",
    (
        "One question takes long. Who asks those that stand behind it?",
        "Whoever is free should take the next one. With a semaphore and a coroutine for each "
        "question this comes by itself.",
    ),
)
ANOTHER_CLIENT = Mistake(
    "another_client",
    "a client of your own",
    (
        "The function is given a client. Which one asks the questions?",
        "Ask with `client`, and bound the number with a semaphore.",
    ),
)

MANY = [f"p{n}" for n in range(12)]


@dataclass
class Bowls:
    """How many semaphores were made, and how many tokens were taken from them.

    Attributes:
        made: how many semaphores.
        taken: how many tokens.
        taken_first: how many of them before the first question was asked.
    """

    made: int = 0
    taken: int = 0
    taken_first: int = 0


@code_exercise(
    (
        "Two things are needed: something that starts all, and something that keeps back.",
        "`ask_politely`, above, waits for a token before it asks. Where must the bowl be made, "
        "so that all share it and it has `n` tokens?",
        "Make the semaphore in `ask_all`, write an `async def` inside it that asks one "
        "question, and give one call for each question to `gen.multi`.",
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
    PROMISES,
    RESULTS_NOT_READ,
    LOOKS_TOO_EARLY,
    AWAITS_A_LIST,
    GATHERS_A_LIST,
    TASK_OF_A_FUTURE,
    ORDER_OF_COMING,
    RESPONSES,
)
async def at_most_n(case: Case) -> None:
    """Hold the first question, and answer the others one by one; then smaller numbers."""
    ask_all = case.function("ask_all")

    case.tries(
        "twelve questions, and n is 3. The first to come waits long for its answer; the others "
        "are answered one by one."
    )
    await _one_is_slow(case, ask_all, 3)

    case.tries("three questions, and n is 1.")
    await _answered_at_once(case, ask_all, ["ada", "grace", "alan"], 1)

    case.tries("two questions, and n is 5.")
    await _answered_at_once(case, ask_all, ["ada", "grace"], 5)


async def _one_is_slow(case: Case, ask_all: Callable[..., Any], n: int) -> None:
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
            _why_too_many(case, client.most, n, bowls)
        if asking.done():
            judge(case, asking, bodies(MANY), wanted)
        return len(backend.asked) >= count

    with _watched_semaphores(client) as bowls:
        async with running(backend.app) as url:
            asking = begin(ask_all, client, questions(url, MANY), n)
            if not await come(n):
                await _why_too_few(case, ask_all, len(backend.asked), n)
            for answered in range(1, len(MANY)):
                backend.release(backend.asked[answered])
                await until(lambda came=answered: len(client.came) >= came)  # type: ignore[misc]
                if not await come(min(n + answered, len(MANY))):
                    _why_not_the_next(case, answered)
            backend.release(backend.asked[0])
            await until(asking.done)
            judge(case, asking, bodies(MANY), wanted)


def _why_too_many(case: Case, most: int, n: int, bowls: Bowls) -> NoReturn:
    expected, got = f"never more than {n} under way at once", f"{most} at once"
    if most < len(MANY):
        case.refuse(OTHER_BOUND, expected, got)
    if bowls.made > 1:
        case.refuse(SEMAPHORE_FOR_EACH, expected, got)
    if bowls.made and not bowls.taken_first:
        case.refuse(ASKED_WITHOUT_TOKEN, expected, got)
    if bowls.taken == 1:
        case.refuse(ONE_TOKEN_FOR_ALL, expected, got)
    early = case.uses("Semaphore", "BoundedSemaphore")
    case.refuse(LET_GO_EARLY if early else NO_BOUND, expected, got)


async def _why_too_few(case: Case, ask_all: Callable[..., Any], asked: int, n: int) -> NoReturn:
    expected = f"{n} are asked before the first is answered"
    got = so_few(asked)
    case.refuse_if_anything_went_wrong(expected)
    if asked == 1:
        got += ".\nThe film shows three of them"
        case.refuse(ONE_AFTER_ANOTHER, expected, got, await staircase(ask_all, n))
    case.refuse(OTHER_BOUND if asked else None, expected, got)


def _why_not_the_next(case: Case, answered: int) -> NoReturn:
    expected = "whenever one is answered, the next one is asked"
    got = f"{answered} answered, the first still under way, and nothing else is asked"
    case.refuse_if_anything_went_wrong(expected)
    if case.uses("acquire") and not case.uses("release"):
        case.refuse(NEVER_GIVEN_BACK, expected, got)
    case.refuse(BATCHES if answered == 1 else FIXED_SHARES, expected, got)


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


@contextmanager
def _watched_semaphores(client: Client) -> Iterator[Bowls]:
    """Count what becomes of semaphores while the block lasts, and a client asks."""
    bowls = Bowls()
    make, take = asyncio.Semaphore.__init__, asyncio.Semaphore.acquire

    def note_made(self: asyncio.Semaphore, value: int = 1) -> None:
        bowls.made += 1
        make(self, value)

    async def note_taken(self: asyncio.Semaphore) -> Literal[True]:
        bowls.taken += 1
        bowls.taken_first += not client.asked
        return await take(self)

    # Its methods are replaced and not the class, which the learner's code may have imported.
    asyncio.Semaphore.__init__ = note_made  # type: ignore[method-assign]
    asyncio.Semaphore.acquire = note_taken  # type: ignore[method-assign]
    try:
        yield bowls
    finally:
        asyncio.Semaphore.__init__ = make  # type: ignore[method-assign]
        asyncio.Semaphore.acquire = take  # type: ignore[method-assign]
