"""What the exercises share in which no more than some questions may be under way at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from classroom.examining.case import Case
from classroom.examining.verdict import Mistake

from .questions import Client, so_few, staircase

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
        "All must take from the same bowl: make it once, before you start.",
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


def why_too_many(
    case: Case, client: Client, n: int, all_of_them: int, bowls: Bowls
) -> NoReturn:
    """Refuse more than `n` questions at once.

    Args:
        case: the case.
        client: the client that counted them.
        n: how many there may be.
        all_of_them: how many there are to ask.
        bowls: what became of the semaphores.
    """
    expected, got = f"never more than {n} under way at once", f"{client.most} at once"
    if client.most < all_of_them:
        case.refuse(OTHER_BOUND, expected, got)
    if bowls.made > 1:
        case.refuse(SEMAPHORE_FOR_EACH, expected, got)
    if bowls.made and not bowls.taken_first:
        case.refuse(ASKED_WITHOUT_TOKEN, expected, got)
    if bowls.taken == 1:
        case.refuse(ONE_TOKEN_FOR_ALL, expected, got)
    early = case.uses("Semaphore", "BoundedSemaphore")
    case.refuse(LET_GO_EARLY if early else NO_BOUND, expected, got)


async def why_too_few(
    case: Case, asked: int, n: int, ask_all: Callable[..., Any], *args: Any
) -> NoReturn:
    """Refuse that fewer than `n` questions are under way, and show it.

    Args:
        case: the case.
        asked: how many are.
        n: how many there could be.
        ask_all: the learner's function.
        *args: what it wants beside the client and the questions.
    """
    expected = f"{n} are asked before the first is answered"
    got = so_few(asked)
    case.refuse_if_anything_went_wrong(expected)
    if asked == 1:
        got += ".\nThe film shows three of them"
        case.refuse(ONE_AFTER_ANOTHER, expected, got, await staircase(ask_all, *args))
    case.refuse(OTHER_BOUND if asked else None, expected, got)


def why_not_the_next(case: Case, answered: int) -> NoReturn:
    """Refuse that one is answered and no other is asked.

    Args:
        case: the case.
        answered: how many are answered, while the first to be asked is still under way.
    """
    expected = "whenever one is answered, the next one is asked"
    got = f"{answered} answered, the first still under way, and nothing else is asked"
    case.refuse_if_anything_went_wrong(expected)
    if case.uses("acquire") and not case.uses("release"):
        case.refuse(NEVER_GIVEN_BACK, expected, got)
    case.refuse(BATCHES if answered == 1 else FIXED_SHARES, expected, got)


@contextmanager
def watched_semaphores(client: Client) -> Iterator[Bowls]:
    """Count what becomes of semaphores while the block lasts.

    Args:
        client: the one that asks the questions.

    Yields:
        The counts.
    """
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
