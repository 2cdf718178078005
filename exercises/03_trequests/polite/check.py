"""Bob's library in a handler that holds nobody up."""

from __future__ import annotations

import ast
import functools
import importlib.util
import inspect
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from tornado.web import Application, RequestHandler

from classroom.examining.case import Case, Error, turns, until
from classroom.examining.clockwork import LONG, goes_round, let_pass
from classroom.examining.kinds import code_exercise
from classroom.examining.mistakes import (
    ASKS_TWICE,
    AWAITS_NOTHING,
    FIXED_TIME,
    HARD_CODED,
    HOLDS,
    KEPT_ANSWER,
    OTHER_THREAD,
    POLLS,
    SHORT_DEADLINE,
    TASK_LEFT,
)
from classroom.examining.rendering import GIVE_UP_AFTER, answers_in_words
from classroom.examining.verdict import Mistake
from loopfilm import Answer, Film
from stormy_demo import bobs_big_data
from stormy_demo.backend import Backend
from trequests.setups import Setup

from ..answering import answering

ONLY_TORNALET = Mistake(
    "only_tornalet",
    "a greenlet in which nobody waits politely",
    (
        "`@tornalet` lets plain code call `wait`. Who calls `wait` here: Bob, or `requests`?",
        "Neither does. Section 5 had one more piece: what puts another adapter under "
        "`requests`?",
        "Call `setup_session()` once, in the cell, before anybody comes.",
    ),
)
ONLY_SETUP = Mistake(
    "only_setup",
    "an adapter that would wait, and nobody who could await for it",
    (
        "The adapter calls `wait`. What did `wait` need underneath it, in section 4?",
        "Somebody has to start `get` in a greenlet: `@tornalet`.",
    ),
)
ONLY_ASYNC = Mistake(
    "only_async",
    "`async def` in front of a call that blocks",
    (
        "Where in your `get` could the coroutine pause? Only at an `await`.",
        "`async def` makes nothing asynchronous. Bob is plain code, so let `get` be plain code "
        "too, and let it wait in a greenlet; or let a thread call Bob, and await the thread.",
    ),
)
ONE_SESSION = Mistake(
    "one_session",
    "a setup of one session, which Bob does not use",
    (
        "Which session does Bob's `requests.get` use? It makes one of its own for each call.",
        "`setup_session()`, without a session, is for all of them.",
    ),
)
CALLED_BEFORE = Mistake(
    "called_before",
    "a call that is done before a thread, or a greenlet, gets anything",
    (
        "Who calls `ask` in your line, with its brackets: the one who should wait, or you?",
        "Give the function and its arguments apart: `await asyncio.to_thread("
        'bobs_big_data.ask, url, "profile", user, 5)`.',
    ),
)
POOL_TOO_SMALL = Mistake(
    "pool_too_small",
    "a pool with fewer threads than people",
    (
        "Three people come at once. How many of them find a thread?",
        "Make the pool larger, or pass `None` for the loop's own.",
    ),
)
SETUP_OVER = Mistake(
    "setup_over",
    "a setup that is over before anybody comes",
    (
        "The end of a `with` block undoes the setup, and so does `close()`. When do the "
        "visitors come: before that, or after?",
        "Call `setup_session()` without a block: then it stays.",
    ),
)
WITHOUT_BOB = Mistake(
    "without_bob",
    "an answer that was got without Bob",
    (
        "The backend was asked, but not by Bob's `ask`. Imagine that it had five hundred "
        "lines.",
        "Keep the call of `bobs_big_data.ask`. What you add stands around it.",
    ),
)
CHANGED_BOB = Mistake(
    "changed_bob",
    "a change to Bob's library",
    (
        "Bob's module is not as he wrote it. He has other users.",
        "Change what waits underneath Bob: `setup_session()` changes the sessions of "
        "`requests`.",
    ),
)
AWAITS_BOB = Mistake(
    "awaits_bob",
    "an `await`, or a `wait`, for something that is there already",
    (
        "What does `ask` return: something that can be awaited, or the answer itself?",
        "It returns the answer. Leave the `await` or the `wait` away, and let Bob himself wait "
        "in a greenlet or in a thread.",
    ),
)
THREAD_NOT_AWAITED = Mistake(
    "thread_not_awaited",
    "a thread that nobody awaits",
    (
        "Whoever gives work to a thread goes on at once. Where does Bob's answer come to?",
        "`to_thread` and `run_in_executor` give you something to await: `answer = await ...`, "
        "in an `async def`.",
    ),
)
WAITS_FOR_THREAD = Mistake(
    "waits_for_thread",
    "a thread that waits, and a loop that waits for the thread",
    (
        "Bob is in another thread now. And what does the loop's own thread do meanwhile?",
        "`result()`, `join()` and `apply()` hold the loop; `await asyncio.to_thread(...)` does "
        "not.",
    ),
)
SET_UP_EACH_TIME = Mistake(
    "set_up_each_time",
    "a setup that is made anew for each visitor",
    (
        "How often is your `setup_session()` called when a thousand people come? It changes "
        "`requests` for all of the process.",
        "Call it once, in the cell, before anybody comes.",
    ),
)
POOL_FOR_EACH = Mistake(
    "pool_for_each",
    "a pool that is made anew for each visitor",
    (
        "How many pools are there when a thousand people come, and how many threads or "
        "processes?",
        "Make the pool once, outside of `get`; or pass `None` for the loop's own.",
    ),
)
ONE_FOR_ALL = Mistake(
    "one_for_all",
    "one answer for all visitors",
    (
        "Whose profile does Grace get? Who was named in her request?",
        '`self.get_argument("user")` is the one to ask Bob about.',
    ),
)
ONE_AT_A_TIME = Mistake(
    "one_at_a_time",
    "a lock that lets in one at a time",
    (
        "The loop is free, and two people wait for a third. For what?",
        "Nothing here is changed by two at once. Leave the lock away.",
    ),
)


@code_exercise(
    (
        "Section 5 has a handler that does this. What stands there that is not here?",
        "Two things: something that lets `get` wait, and something that makes `requests` wait.",
        "One goes in front of `get`, and the other is called once, before anybody comes. Both "
        "have to be imported.",
    ),
    ONLY_TORNALET,
    ONLY_SETUP,
    ONLY_ASYNC,
    SETUP_OVER,
    ONE_SESSION,
    CALLED_BEFORE,
    POOL_TOO_SMALL,
    WITHOUT_BOB,
    CHANGED_BOB,
    AWAITS_BOB,
    THREAD_NOT_AWAITED,
    WAITS_FOR_THREAD,
    ASKS_TWICE,
    FIXED_TIME,
    HARD_CODED,
    KEPT_ANSWER,
    ONE_AT_A_TIME,
    ONE_FOR_ALL,
    POLLS,
    POOL_FOR_EACH,
    SET_UP_EACH_TIME,
    SHORT_DEADLINE,
    TASK_LEFT,
    another_way=(
        "Another right way: `@tornalet` in front of a plain `get`, and `setup_session()` once, "
        "in the cell; that costs a greenlet for each who waits, and no thread."
    ),
    known_by="setup_session",
    instead=(
        "Another right way: `async def get`, which awaits `run_in_executor` or "
        "`asyncio.to_thread`; that costs a thread for each who waits, and no library is set "
        "up."
    ),
)
async def polite(case: Case) -> None:
    """Three come at once, and the backend wants three questions before it answers one."""
    handler = case.handler("Profile")
    case.if_stuck = _why_held(case, handler)
    threads = case.threads_of(handler)

    case.tries("your cell is run, and Bob's library is looked at.")
    if changed := _changes_to_bob():
        case.refuse(CHANGED_BOB, "it is as Bob wrote it", f"{changed} is another")

    case.tries(
        "Ada, Grace and Alan come at once. The backend answers when three questions wait there."
    )
    expected = "three questions wait at once, and each gets an answer"
    backend = Backend(hold=True)
    wanted = _wanted_at_once(case)
    ended: list[RequestHandler] = []

    names = ["Ada Lovelace", "Grace Hopper", "Alan Turing"]
    right = [Answer(200, {"profile": name}) for name in names]
    went_round, early, given_up, kept = False, 0, False, False
    # To start processes is work for the machine.
    many = 5 if case.uses("ProcessPoolExecutor", "multiprocessing") else 1

    async def give_up(_: Film) -> None:
        nonlocal given_up
        if not await until(
            lambda: backend.most >= wanted or len(ended) == 3, GIVE_UP_AFTER * many
        ):
            let_pass()
            given_up = True

    async def look() -> None:
        nonlocal went_round, early
        await turns()
        went_round = await goes_round()
        let_pass()
        await turns()
        early = len(ended)

    with _questions_of_bob() as asked_bob, _made_meanwhile() as made:
        async with answering(backend, wanted, look) as url:
            app = Application([(r"/", handler)], backend=url, log_function=ended.append)
            visits = ["/?user=ada", "/?user=grace", "/?user=alan"]
            film = await case.visits(app, visits, give_up, LONG + GIVE_UP_AFTER * many)
            case.to_show = film
            held_for, asked, made_for_three = case.held_for, [*backend.asked], made.copy()
            if film.answers == right and backend.most >= wanted:
                await case.visits(app, visits[:1])
                kept = len(backend.asked) == len(asked)
            case.held_for = held_for
    if given_up:
        # Bob's deadline is nearly over then, which is no mistake of the learner's.
        case.errors[:] = [each for each in case.errors if not _is_late(each)]
    if went_round:
        case.refuse(POLLS, expected, "the loop goes round and round while all three wait")
    if early and not given_up:
        got = f"{early} of them have an answer before the backend gives one"
        late = any(map(_is_late, case.errors))
        case.refuse(SHORT_DEADLINE if late else FIXED_TIME, expected, case.with_error(got))
    if film.answers != right or backend.most < wanted:
        _why_not_polite(case, backend, film, expected, len(asked_bob))
    _refuse_if_without_bob(case, backend, len(asked_bob))
    if len(asked) > 3:
        got = f"{len(asked)} questions come to the backend"
        case.refuse(ASKS_TWICE, "three people, three questions", got)
    if kept:
        got = "she has an answer, and the backend is not asked"
        case.refuse(KEPT_ANSWER, "Ada comes once more, and Bob asks for her once more", got)
    if threads:
        got = "another thread writes the answer, or fills a future"
        case.refuse(OTHER_THREAD, "the thread does what blocks, and nothing else", got)
    for kind, mistake in ((Setup, SET_UP_EACH_TIME), (Executor, POOL_FOR_EACH)):
        if (count := made_for_three[kind]) > 1:
            case.refuse(
                mistake, "it is made once", f"for three visitors it is made {count} times"
            )


def _is_late(error: Error) -> bool:
    return "Timeout" in error.text.partition(":")[0]


def _wanted_at_once(case: Case) -> int:
    """Return how many have to be asked about at once.

    A pool of processes whose size nobody gave is as large as the machine.
    """
    for node in ast.walk(case.tree):
        if isinstance(node, ast.Call) and _called(node) in ("ProcessPoolExecutor", "Pool"):
            sized = node.args or {"max_workers", "processes"} & {k.arg for k in node.keywords}
            if not sized:
                # Since Python 3.13 a pool counts those processors that it may use.
                count = getattr(os, "process_cpu_count", os.cpu_count)
                return min(3, count() or 1)
    return 3


@contextmanager
def _made_meanwhile() -> Iterator[Counter[type]]:
    """Count the setups, and the pools, that are made while the block lasts."""
    made = Counter[type]()
    kinds: tuple[tuple[Any, type], ...] = (
        (Setup, Setup),
        (ThreadPoolExecutor, Executor),
        (ProcessPoolExecutor, Executor),
    )
    kept = [(kind, kind.__init__) for kind, _ in kinds]

    def counting(make: Callable[..., None], counted: type) -> Callable[..., None]:
        @functools.wraps(make)
        def make_and_count(self: Any, *args: Any, **settings: Any) -> None:
            made[counted] += 1
            make(self, *args, **settings)

        return make_and_count

    for kind, counted in kinds:
        kind.__init__ = counting(kind.__init__, counted)
    try:
        yield made
    finally:
        for kind, make in kept:
            kind.__init__ = make


def _refuse_if_without_bob(case: Case, backend: Backend, asked_bob: int) -> None:
    # Nobody sees here what Bob does in another process, so the cell is taken at its word.
    elsewhere = case.uses("ProcessPoolExecutor", "multiprocessing") and case.uses("ask")
    if asked_bob < 3 and not elsewhere:
        got = f"the backend was asked {len(backend.asked)} times, and Bob {asked_bob}"
        case.refuse(WITHOUT_BOB, "Bob's `ask` is called for each of them", got)


def _why_not_polite(
    case: Case, backend: Backend, film: Film, expected: str, asked_bob: int
) -> None:
    got = answers_in_words(film.answers)
    texts = [error.text for error in case.errors]
    threads = case.uses("run_in_executor", "to_thread", "submit", "Thread")
    # A function is not an answer either.
    if any(e.mistake is AWAITS_NOTHING and "<function" not in e.text for e in case.errors):
        case.refuse(
            AWAITS_BOB, expected, case.with_error(got), film if case.held(film) else None
        )
    if any(map(_is_late, case.errors)):
        case.refuse(SHORT_DEADLINE, expected, case.with_error(got))
    looks = ("Future is not JSON serializable", "InvalidStateError")
    unread = any(each in text for text in texts for each in looks)
    empty = all(answer == Answer(200, "") for answer in film.answers)
    if empty and case.uses("create_task", "ensure_future"):
        case.refuse(TASK_LEFT, expected, case.with_error(got))
    if unread or (threads and empty):
        case.refuse(THREAD_NOT_AWAITED, expected, case.with_error(got))
    most = f"at most {backend.most} of their questions waited at once"
    if case.held(film):
        where = f", and the loop was held in {case.held_at}" if case.held_at else ""
        case.refuse(case.if_stuck, expected, most + where, film)
    if not backend.asked and case.has_own_address():
        case.refuse(HARD_CODED, "the backend of the check is asked", case.with_error(got))
    case.refuse_if_anything_went_wrong(expected)
    pools = ("ThreadPoolExecutor", "ProcessPoolExecutor", "Pool")
    if case.uses(*pools) and 0 < backend.most < 3:
        case.refuse(POOL_TOO_SMALL, expected, f"{most}\n{got}")
    if backend.most == 1 and case.uses("Lock", "Semaphore", "BoundedSemaphore"):
        case.refuse(ONE_AT_A_TIME, expected, f"{most}\n{got}")
    if backend.asked and backend.most < 3:
        case.refuse(None, expected, f"{most}\n{got}", film)
    if backend.asked:
        _refuse_if_without_bob(case, backend, asked_bob)
        if len({str(answer) for answer in film.answers}) == 1 and film.answers[0].status == 200:
            case.refuse(ONE_FOR_ALL, "each gets the profile that was asked for", got)
        expected = "Ada gets {'profile': 'Ada Lovelace'}, and the others get theirs"
    case.refuse(None, expected, got)


def _why_held(case: Case, handler: type[RequestHandler]) -> Mistake:
    """Return the mistake that it is if this handler holds the loop."""
    if case.uses("result", "join") and case.uses("submit", "Thread", "run_in_executor"):
        return WAITS_FOR_THREAD
    calls = [node for node in ast.walk(case.tree) if isinstance(node, ast.Call)]
    if any(
        _called(call) in ("run_in_executor", "to_thread", "submit", "run")
        and any(isinstance(each, ast.Call) and _called(each) == "ask" for each in call.args)
        for call in calls
    ):
        return CALLED_BEFORE
    if any(_called(call) in ("apply", "apply_async", "starmap") for call in calls):
        return WAITS_FOR_THREAD
    if "run" in map(_called, calls) and "setup_session" not in map(_called, calls):
        return ONLY_TORNALET
    if case.uses(ast.AsyncFunctionDef):
        return ONLY_ASYNC
    if any(_called(call) == "setup_session" and call.args for call in calls):
        return ONE_SESSION
    calls_setup = any(
        _called(node) == "setup_session"
        for node in ast.walk(case.tree)
        if isinstance(node, ast.Call)
    )
    if not inspect.iscoroutinefunction(getattr(handler, "get", None)):
        return ONLY_SETUP if calls_setup else HOLDS
    if not calls_setup:
        return ONLY_TORNALET
    return SETUP_OVER if is_plain(requests.Session(), "http://127.0.0.1:4012/") else HOLDS


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return str(name)
    return ""


def is_plain(session: requests.Session, url: str) -> bool:
    """Return whether a session is for this address what requests makes of it."""
    return type(session.get_adapter(url)) is HTTPAdapter


def _changes_to_bob() -> str:
    """Return a name of Bob's module that is not as Bob has it, or nothing."""
    spec = importlib.util.spec_from_file_location("bob", inspect.getfile(bobs_big_data))
    assert spec
    assert spec.loader
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    for name, wanted in vars(fresh).items():
        if name.startswith("__"):
            continue
        found = getattr(bobs_big_data, name, None)
        if inspect.isfunction(wanted):
            same = getattr(found, "__code__", None) == wanted.__code__
        elif inspect.isclass(wanted) and wanted.__module__ == "bob":
            same = inspect.isclass(found) and set(vars(found)) == set(vars(wanted))
        else:
            same = found is wanted
        if not same:
            return f"`bobs_big_data.{name}`"
    return ""


class _Noting(ModuleType):
    """A module that notes what is got through it."""

    def __init__(self, module: ModuleType, noted: list[object]) -> None:
        super().__init__(module.__name__)
        self._module, self._noted = module, noted

    def __getattr__(self, name: str) -> Any:
        if name == "get":
            self._noted.append(name)
        return getattr(self._module, name)


@contextmanager
def _questions_of_bob() -> Iterator[list[object]]:
    """Count the questions that Bob's own functions send, by whatever name they are called."""
    noted: list[object] = []
    bob: Any = bobs_big_data
    original = bob.requests
    bob.requests = _Noting(original, noted)
    try:
        yield noted
    finally:
        bob.requests = original
