"""Several questions, asked at once; the answers in the order of the questions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

from classroom.examining.case import Case, turns, until
from classroom.examining.clockwork import LONG, let_pass
from classroom.examining.kinds import code_exercise
from classroom.examining.mistakes import ASKS_TWICE, FIXED_TIME, POLLS
from classroom.examining.verdict import Mistake
from loopfilm import running
from stormy_demo.backend import Backend

from ..bounds import ANOTHER_CLIENT
from ..questions import (
    ADDRESSES,
    AWAITS_A_LIST,
    GATHERS_A_LIST,
    LOOKS_TOO_EARLY,
    NOT_CALLED,
    NOT_STARTED,
    NOTHING_RETURNED,
    ONLY_SOME,
    ORDER_OF_COMING,
    OTHER_BODIES,
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
    so_few,
    staircase,
    with_patience,
)

ONE_AFTER_ANOTHER = Mistake(
    "one_after_another",
    "one `await` after another",
    (
        "How many questions are under way when the first `await` waits?",
        "Start all of them first, and wait for the answers then.",
        "`fetch` starts its question as soon as it is called: make a list of what it returns, "
        "and `await asyncio.gather(*...)` of that.",
    ),
)
BOUNDED = Mistake(
    "bounded",
    "a bound that nobody asked for",
    (
        "Who sees to it that no more than these begin?",
        "Here all are asked at once: no batches, and no semaphore.",
    ),
)
AWAITS_EACH_TASK = Mistake(
    "awaits_each_task",
    "a task that is awaited before the next one is made",
    (
        "A task lets you go on while it runs. What does your code do in that time?",
        "Make all the tasks in a first loop, keep them in a list, and await them in a second.",
    ),
)


@code_exercise(
    (
        "`second_way`, above, asks three at once. What does it return, and what is wanted?",
        "First start all, then wait for all, then read the bodies.",
        "`responses = await asyncio.gather(*[client.fetch(url) for url in urls])`",
    ),
    ONE_AFTER_ANOTHER,
    BOUNDED,
    AWAITS_EACH_TASK,
    PROMISES,
    RESULTS_NOT_READ,
    LOOKS_TOO_EARLY,
    AWAITS_A_LIST,
    GATHERS_A_LIST,
    TASK_OF_A_FUTURE,
    ORDER_OF_COMING,
    RESPONSES,
    ADDRESSES,
    ANOTHER_CLIENT,
    ASKS_TWICE,
    FIXED_TIME,
    NOTHING_RETURNED,
    NOT_CALLED,
    NOT_STARTED,
    ONLY_SOME,
    OTHER_BODIES,
    POLLS,
    another_way=(
        "Another right way: a `TaskGroup` with a task for each question, which also cancels "
        "the others when one of them fails."
    ),
    known_by="TaskGroup",
    instead=(
        "Another right way: `asyncio.gather`, which takes the futures of `fetch` as they are, "
        "and gives the results in the order of what it was given. When one of them fails, the "
        "others go on."
    ),
)
async def three_at_once(case: Case) -> None:
    """Hold the answers until all have asked, and let them go in another order."""
    ask_all = case.function("ask_all")
    case.tries(
        "questions about Ada, Grace and Alan. The backend answers when it has all three: "
        "Alan first, then Ada, then Grace."
    )
    people = ["ada", "grace", "alan"]
    await with_patience(case, partial(_gives_up, case, ask_all, people, [2, 0, 1]))

    case.tries("twelve questions, answered in no order.")
    # A set of three may have the right order by chance, one of twelve hardly.
    people, order = [f"p{n}" for n in range(12)], [n * 5 % 12 for n in range(12)]
    await with_patience(case, partial(_gives_up, case, ask_all, people, order))


async def _gives_up(
    case: Case,
    ask_all: Callable[..., Any],
    people: Sequence[str],
    order: Sequence[int],
    takes: float,
) -> bool:
    """Try it with a backend that takes some time; return whether that was too long."""
    expected = f"the bodies of all {len(people)} answers, in the order of `urls`"
    backend, client = Backend(hold=True), new_client()
    async with running(backend.app) as url:
        urls = questions(url, people)
        asking = begin(ask_all, client, urls)
        await until(lambda: len(backend.asked) >= len(people) or asking.done())
        if backend.asked and not client.asked:
            got = "they come from somewhere else"
            case.refuse(ANOTHER_CLIENT, "the questions are asked with `client`", got)
        if asking.done():
            judge(case, asking, bodies(people), expected)
        if len(backend.asked) < len(people):
            await _why_so_few(case, ask_all, backend, len(people))
        await turns()
        await case.refuse_if_it_polls(expected)
        refuse_if_asked_twice(case, client)
        let_pass(takes)
        await turns()
        if takes and gave_up(client, asking):
            return True
        if takes and asking.done():
            got = f"after {LONG:g} seconds, when no answer has come, your function ends"
            case.refuse(FIXED_TIME, expected, got)
        for came, number in enumerate(order, 1):
            backend.release(f"profile of {people[number]}")
            await until(lambda came=came: len(client.came) >= came)  # type: ignore[misc]
            await turns()
            refuse_if_asked_twice(case, client)
        await until(asking.done)
        judge(case, asking, bodies(people), expected)
        refuse_if_changed(case, urls, questions(url, people))
    return False


async def _why_so_few(
    case: Case, ask_all: Callable[..., Any], backend: Backend, count: int
) -> NoReturn:
    expected = f"all {count} are asked before the first is answered"
    asked = len(backend.asked)
    got = so_few(asked)
    if asked != 1:
        case.refuse_if_anything_went_wrong(expected)
        case.refuse(BOUNDED if asked else None, expected, got)
    tasks = any(
        case.uses("create_task", "ensure_future", "TaskGroup", inside=loop)
        for loop in (ast.For, ast.ListComp)
    )
    mistake = AWAITS_EACH_TASK if tasks else ONE_AFTER_ANOTHER
    if case.has_coroutines_left():
        mistake = NOT_STARTED
    got += ".\nThe film shows three of them"
    case.refuse(mistake, expected, got, await staircase(ask_all))
