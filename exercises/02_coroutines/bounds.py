"""What the exercises share in which no more than some questions may be under way at once."""

from __future__ import annotations

import asyncio
import functools
import inspect
from asyncio import Future
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import tornado.locks

from classroom.examining.case import Case
from classroom.examining.verdict import Mistake

from .questions import NOT_STARTED, Client, so_few, staircase

NO_BOUND = Mistake(
    "no_bound",
    "questions that are all asked at once",
    (
        "Who keeps the last question waiting until an earlier one is answered?",
        "A semaphore does, with a token for each that may be under way: a question takes one, "
        "and gives it back when it is answered.",
    ),
)
SEMAPHORE_FOR_EACH = Mistake(
    "semaphore_for_each",
    "a bowl of tokens for each question",
    (
        "How many semaphores are made when a dozen questions are asked?",
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
        "How many tokens are taken when a dozen questions are asked?",
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
LOST_TOKEN = Mistake(
    "lost_token",
    "a token that is lost when a question fails",
    (
        "A question fails between `acquire` and `release`. Who gives its token back?",
        "`async with tokens:` gives it back whatever happens. By hand, `release` belongs into "
        "a `finally`.",
    ),
)
WORKER_DIES = Mistake(
    "worker_dies",
    "a wait for a worker that has died",
    (
        "A question fails, and whoever asked it ends. Who waits for what that one had to do?",
        "Wait for the workers themselves, as in `await asyncio.gather(*workers)`: then the "
        "exception comes to you.",
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
    "a bound that is another number",
    (
        "Count how many of yours may be under way at once, and compare it with what is asked.",
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


CHANGES_THE_CLIENT = Mistake(
    "changes_the_client",
    "a client that is changed for all who use it",
    (
        "You were given that client. Who else may ask with it, and what becomes of them?",
        "Leave it as it is. A semaphore of your own bounds your questions, and nobody else's.",
    ),
)


@dataclass
class Bowls:
    """How many semaphores were made, and how many tokens were taken from them.

    Attributes:
        made: how many semaphores.
        largest: the largest number of tokens that one of them had.
        taken: how many tokens were asked for.
        taken_first: how many of them before the first question was asked.
        given_back: how many tokens.
        held: how many were got and not given back.
    """

    made: int = 0
    largest: int = 0
    taken: int = 0
    taken_first: int = 0
    given_back: int = 0
    held: int = 0


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
    case.refuse_if_anything_went_wrong(expected)
    if client.max_clients < all_of_them or case.uses("configure"):
        case.refuse(CHANGES_THE_CLIENT, expected, got)
    if client.most < all_of_them or bowls.largest >= all_of_them:
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
    case: Case, asked: int, n: int, bowls: Bowls, ask_all: Callable[..., Any], *args: Any
) -> NoReturn:
    """Refuse that fewer than `n` questions are under way, and show it.

    Args:
        case: the case.
        asked: how many are.
        n: how many there could be.
        bowls: what became of the semaphores.
        ask_all: the learner's function.
        *args: what it wants beside the client and the questions.
    """
    expected = f"{n} are asked before the first is answered"
    got = so_few(asked)
    case.refuse_if_anything_went_wrong(expected)
    if asked == 1:
        mistake = NOT_STARTED if case.has_coroutines_left() else ONE_AFTER_ANOTHER
        if bowls.taken > 1 or case.uses("Lock"):
            # More than one wants to ask, and there is one token.
            mistake = OTHER_BOUND
        got += ".\nThe film shows three of them"
        case.refuse(mistake, expected, got, await staircase(ask_all, *args))
    case.refuse(OTHER_BOUND if asked else None, expected, got)


def why_not_the_next(case: Case, answered: int, bowls: Bowls) -> NoReturn:
    """Refuse that one is answered and no other is asked.

    Args:
        case: the case.
        answered: how many are answered, while the first to be asked is still under way.
        bowls: what became of the semaphores.
    """
    expected = "whenever one is answered, the next one is asked"
    got = f"{answered} answered, the first still under way, and nothing else is asked"
    case.refuse_if_anything_went_wrong(expected)
    if bowls.taken > 1 and not bowls.given_back:
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
    kinds: tuple[Any, ...] = (asyncio.Semaphore, tornado.locks.Semaphore)
    kept = [(kind, kind.__init__, kind.acquire, kind.release) for kind in kinds]

    def watch(kind: Any, make: Any, take: Any, give_back: Any) -> None:
        @functools.wraps(make)
        def note_made(self: Any, value: int = 1) -> None:
            bowls.made += 1
            bowls.largest = max(bowls.largest, value)
            make(self, value)

        def note_asked_for() -> None:
            bowls.taken += 1
            bowls.taken_first += not client.asked

        def note_taken(taking: Future[Any]) -> None:
            # It has no token if it was given up.
            bowls.held += not (taking.cancelled() or taking.exception())

        @functools.wraps(take)
        async def take_and_note(self: Any) -> Any:
            note_asked_for()
            taken = await take(self)
            bowls.held += 1
            return taken

        @functools.wraps(take)
        def take_and_note_later(self: Any, *args: Any, **settings: Any) -> Any:
            note_asked_for()
            taking = take(self, *args, **settings)
            taking.add_done_callback(note_taken)
            return taking

        @functools.wraps(give_back)
        def note_given_back(self: Any) -> None:
            bowls.held -= 1
            bowls.given_back += 1
            give_back(self)

        is_coroutine = inspect.iscoroutinefunction(take)
        kind.acquire = take_and_note if is_coroutine else take_and_note_later
        kind.__init__, kind.release = note_made, note_given_back

    # Its methods are replaced and not the class, which the learner's code may have imported.
    for each in kept:
        watch(*each)
    try:
        yield bowls
    finally:
        for kind, *methods in kept:
            kind.__init__, kind.acquire, kind.release = methods
