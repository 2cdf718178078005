"""A lock that is held while others wait, on the one thread that they all share."""

from __future__ import annotations

import ast
import inspect
from typing import Any, NoReturn

import requests
from tornado.web import Application, RequestHandler

from classroom.examining.case import Case, turns, until
from classroom.examining.clockwork import LONG, goes_round, let_pass
from classroom.examining.kinds import code_exercise, names
from classroom.examining.mistakes import (
    ASKS_TWICE,
    AWAITS_NOTHING,
    FALSE_FOR_NONE,
    FIXED_TIME,
    HARD_CODED,
    MISSING,
    NESTED_LOOP,
    PLAIN_WITH,
    POLLS,
    SHARED,
    SHORT_DEADLINE,
)
from classroom.examining.rendering import GIVE_UP_AFTER, answers_in_words, shown
from classroom.examining.verdict import Mistake
from loopfilm import NO_ANSWER, Answer, Film, running_apart
from stormy_demo.backend import Backend
from tornalet import tornalet
from trequests import setup_session

LOCK_KEPT = Mistake(
    "lock_kept",
    "a lock for threads, where everybody is on one thread",
    (
        "Whoever waits for this lock holds the thread. Who has the lock, and on which thread "
        "is that one?",
        "Use a lock that knows tasks: `asyncio.Lock()`, and wait for it with "
        "`wait(self.lock.acquire())`.",
    ),
)
NO_LOCK = Mistake(
    "no_lock",
    "nothing that keeps the second one from asking as well",
    (
        "Ada's question is under way when the second one looks into `known`. What is there?",
        "Leave something there for the second one to wait for: a closed `asyncio.Lock`, or a "
        "future of the answer.",
    ),
)
RLOCK = Mistake(
    "rlock",
    "a lock that lets its own thread in again",
    (
        "An `RLock` knows its holder by the thread. How many threads are there?",
        "Everybody is on one thread, so it lets in everybody. `asyncio.Lock` tells tasks "
        "apart.",
    ),
)
UNGUARDED = Mistake(
    "unguarded",
    "a lock that is open between the look and the answer",
    (
        "Somebody looked into `known`, saw nothing, and then waited. Who else may have come "
        "meanwhile?",
        "The look, the question to Bob and the writing into `known` belong together, behind "
        "one closed lock.",
    ),
)
TIMED_LOCK = Mistake(
    "timed_lock",
    "a lock for threads that is given up after a while",
    (
        "How long does the loop stand before the time is over, and who gets Bob's answer to "
        "Ada meanwhile?",
        "As long as a lock for threads is waited for, nobody can open it. `asyncio.Lock` with "
        "`wait(self.lock.acquire())` lets the loop go on.",
    ),
)
NOT_WAITED = Mistake(
    "not_waited",
    "an `asyncio.Lock` that nobody waits for",
    (
        "An `asyncio.Lock` has to be awaited. Which of your lines sees to that?",
        "In plain code, `wait` awaits for you: `wait(self.lock.acquire())`. A call alone makes "
        "a coroutine that nobody awaits, and a `with` block cannot await either.",
    ),
)
NOT_RELEASED = Mistake(
    "not_released",
    "something that stays closed when Bob fails",
    (
        "Bob may raise an exception. Which of your lines are then passed over?",
        "Behind `finally:` stands what has to happen in any case: `self.lock.release()`.",
    ),
)
NEVER_FILLED = Mistake(
    "never_filled",
    "something that is waited for, and that nobody fills when Bob fails",
    (
        "Bob may raise an exception. Who tells those who wait for his answer?",
        "Tell them in any case: with `set_exception` of a future, or `set` of an event in "
        "`finally`; and take it away, so that the next one asks anew.",
    ),
)
HIDES_FAILURE = Mistake(
    "hides_failure",
    "an exception that you kept to yourself",
    (
        "Bob raised an exception. What did the caller of `get` get?",
        "Let the exception pass: no `except`, and `finally` for what must be tidied up.",
    ),
)
OWN_LOCK = Mistake(
    "own_lock",
    "a lock of one's own for each call",
    (
        "Who else can see the lock that is made in `get`?",
        "Make it once, in `__init__`, and keep it in `self.lock`.",
    ),
)
USES_THE_TRUE = Mistake(
    "uses_the_true",
    "a `with` around what `wait` has returned",
    (
        "`wait(self.lock.acquire())` has taken the lock, and gave you True. What can `with` do "
        "with that?",
        "Let `try` stand below it, and `self.lock.release()` in its `finally`.",
    ),
)
REMEMBERS_FAILURE = Mistake(
    "remembers_failure",
    "a failure that is kept as if it were an answer",
    (
        "Bob failed once. What stands in `known` after that?",
        "Keep what Bob answers, and drop what he raised, so that the next one asks anew.",
    ),
)
ASYNC_GET = Mistake(
    "async_get",
    "a coroutine where plain code was wanted",
    (
        "The handlers call `get` as a plain method. What do they get from an `async def`?",
        "Leave it a plain `def`. Underneath `@tornalet` it says `wait(...)` in the place of "
        "`await ...`.",
    ),
)
FORGETS = Mistake(
    "forgets",
    "an answer that nobody keeps",
    (
        "What stands in `known` when Ada has her answer?",
        "Write what Bob says into `self.known`.",
    ),
)
GIVES_UP = Mistake(
    "gives_up",
    "a wait that is given up before the answer is there",
    (
        "Bob may take longer than that. What does the second one do then?",
        "Wait for as long as it takes: Bob has a deadline of his own, and whoever asks him "
        "tells the others in any case.",
    ),
)
ONE_FOR_ALL = Mistake(
    "one_for_all",
    "one answer for all users",
    (
        "Grace's answer is there. What does somebody get who asks for Alan?",
        "Look for the user, and not for anything: `if user not in self.known`.",
    ),
)
NOTHING_RETURNED = Mistake(
    "nothing_returned",
    "an answer that nobody returns",
    (
        "The answer stands in `known`. What does `get` give to who has called it?",
        "`return self.known[user]`.",
    ),
)
GENERATOR = Mistake(
    "generator",
    "a `yield` in plain code",
    (
        "A function with a `yield` makes a generator: a call of `get` runs nothing of it.",
        "`wait(...)` stands where older coroutines have `yield`.",
    ),
)

# What `_app` tells a visitor for whom Bob has raised what he raises.
FAILED = Answer(502, "Bob failed")


def _lets_users_overlap(tree: ast.Module) -> bool:
    """Return whether no attribute is one lock for all of them."""
    locks = {"Lock", "Semaphore", "BoundedSemaphore", "Condition"}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Attribute()], value=ast.Call(func=made)):
                if not locks.isdisjoint(names(made)):
                    return False
    return True


@code_exercise(
    (
        "Section 8 names a lock that knows tasks. How does plain code wait for it?",
        "`wait(self.lock.acquire())`, then look into `known` and perhaps ask Bob, then "
        "`self.lock.release()`.",
        "Bob can fail: let `try` and `finally` see to it that the lock is opened.",
    ),
    LOCK_KEPT,
    NO_LOCK,
    RLOCK,
    UNGUARDED,
    TIMED_LOCK,
    NOT_WAITED,
    NOT_RELEASED,
    NEVER_FILLED,
    HIDES_FAILURE,
    OWN_LOCK,
    USES_THE_TRUE,
    REMEMBERS_FAILURE,
    ASYNC_GET,
    FORGETS,
    ASKS_TWICE,
    FALSE_FOR_NONE,
    FIXED_TIME,
    GENERATOR,
    GIVES_UP,
    HARD_CODED,
    NOTHING_RETURNED,
    ONE_FOR_ALL,
    POLLS,
    SHORT_DEADLINE,
    another_way=(
        "Another right way: a lock for each user, so that who asks about Ada does not wait "
        "for who asks about Grace."
    ),
    known_by=_lets_users_overlap,
    instead=(
        "Another right way: one lock for all, which is less code; who asks about Ada then "
        "waits for who asks about Grace, too."
    ),
)
async def find_lock(case: Case) -> None:
    """Two want the same, two want different things, and then Bob fails."""
    cls: Any = case.defined("Profiles")
    get = getattr(cls, "get", None)
    if not inspect.isclass(cls) or not callable(get):
        case.refuse(MISSING, "`Profiles` is a class with a method `get`", shown(cls))
    if inspect.iscoroutinefunction(get):
        case.refuse(ASYNC_GET, "`get` is a plain method", "it is an `async def`")
    if inspect.isgeneratorfunction(get) or inspect.isasyncgenfunction(get):
        case.refuse(GENERATOR, "`get` is a plain method", "it is a generator")
    if case.uses("Lock", "RLock", "Semaphore", "Condition"):
        case.if_stuck = LOCK_KEPT
    with setup_session():
        await _same_user(case, cls)
        await _different_users(case, cls())
        await _nothing_to_say(case, cls())
        await _failure(case, cls())


async def _same_user(case: Case, cls: Any) -> None:
    case.tries(
        "two people ask for Ada at once. The backend answers when both have come, and have "
        f"waited for {LONG:g} seconds."
    )
    expected = "both get the answer, and the backend is asked once"
    backend = Backend(hold=True)
    ended: list[RequestHandler] = []
    went_round, early, asked_again = False, False, False

    async def answer_when_both_wait(film: Film) -> None:
        nonlocal went_round, early, asked_again
        await until(lambda: (film.together == 2 and bool(backend.asked)) or bool(case.errors))
        await turns()
        if film.together == 2 and not ended:
            asked = len(backend.asked)
            went_round = await goes_round()
            let_pass()
            await turns()
            early = bool(ended)
            asked_again = await until(lambda: len(backend.asked) > asked, 0.05)
        else:
            # Nobody has to wait for longer than they would for other answers.
            let_pass()
        backend.release("profile")

    with running_apart(backend.app) as url:
        app = _app(url, cls(), ended)
        visits = ["/?user=ada", "/?user=ada"]
        film = await case.visits(app, visits, answer_when_both_wait, GIVE_UP_AFTER + LONG)
    case.if_stuck = None
    if went_round:
        case.refuse(POLLS, expected, "the loop goes round and round while both wait")
    right = [Answer(200, {"profile": "Ada Lovelace"})] * 2
    if film.answers != right or len(backend.asked) != 1:
        got = f"{answers_in_words(film.answers)}\n{_count(backend)}"
        if (early or asked_again) and case.uses("wait_for", "timeout", "with_timeout"):
            case.refuse(GIVES_UP, expected, case.with_error(got))
        if early and FAILED in film.answers:
            case.refuse(SHORT_DEADLINE, expected, got)
        if early:
            case.refuse(FIXED_TIME, expected, case.with_error(got))
        if len(backend.asked) > 1 and await _asked_by_one(case, cls()) > 1:
            case.refuse(ASKS_TWICE, expected, got)
        _why_not_once(case, backend, film, expected)


async def _asked_by_one(case: Case, profiles: Any) -> int:
    """Return how often the backend is asked when one comes alone."""
    backend = Backend()
    with running_apart(backend.app) as url:
        await case.visits(_app(url, profiles), ["/?user=ada"])
    return len(backend.asked)


def _why_not_once(case: Case, backend: Backend, film: Film, expected: str) -> NoReturn:
    got = f"{answers_in_words(film.answers)}\n{_count(backend)}"
    plain_with = any(error.mistake is PLAIN_WITH for error in case.errors)
    a_bool = any("'bool' object" in error.text for error in case.errors)
    if plain_with and (a_bool or _enters_what_wait_returns(case.tree)):
        case.refuse(USES_THE_TRUE, expected, case.with_error(got))
    if any(error.mistake is AWAITS_NOTHING for error in case.errors):
        case.refuse(AWAITS_NOTHING, expected, case.with_error(got))
    if any(error.mistake is NESTED_LOOP for error in case.errors):
        case.refuse(NESTED_LOOP, expected, case.with_error(got))
    if not backend.asked and case.has_own_address():
        case.refuse(HARD_CODED, expected, case.with_error(got))
    if film.answers == [Answer(200, {"profile": None})] * 2:
        case.refuse(NOTHING_RETURNED, expected, got)
    unlocked = any("Lock is not acquired" in error.text for error in case.errors)
    if plain_with or any("Lock.acquire" in name for name in case.never_awaited()):
        case.refuse(NOT_WAITED, expected, case.with_error(got))
    held = case.held(film)
    if _gives_up(case.tree) and (held or len(backend.asked) != 1 or case.errors):
        where = f"\nThe loop was held in {case.held_at}." if held and case.held_at else ""
        case.refuse(TIMED_LOCK, expected, got + where, film)
    if len(backend.asked) > 1 and not unlocked:
        if case.uses("RLock"):
            case.refuse(RLOCK, expected, got)
        if case.uses("Lock", "Semaphore", inside="get"):
            case.refuse(OWN_LOCK, expected, got)
        locks = case.uses("Lock", "Semaphore", "Condition", "Event")
        if locks and not _keeps(case.tree):
            case.refuse(FORGETS, expected, got)
        case.refuse(UNGUARDED if locks else NO_LOCK, expected, got)
    case.refuse_if_anything_went_wrong(expected)
    case.refuse(None, expected, got)


def _keeps(tree: ast.Module) -> bool:
    """Return whether anything is put into something, such as `known`."""
    return any(
        (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.Attribute) and node.attr in ("setdefault", "update"))
        for node in ast.walk(tree)
    )


def _count(backend: Backend) -> str:
    if not backend.asked:
        return "The backend was not asked."
    times = "once" if len(backend.asked) == 1 else f"{len(backend.asked)} times"
    return f"The backend was asked {times}."


def _enters_what_wait_returns(tree: ast.Module) -> bool:
    """Return whether there is a `with wait(...):`."""
    for node in ast.walk(tree):
        match node:
            case ast.withitem(
                context_expr=ast.Call(func=ast.Name(id="wait") | ast.Attribute(attr="wait"))
            ):
                return True
    return False


def _gives_up(tree: ast.Module) -> bool:
    """Return whether a lock for threads is asked for with a time-out."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="acquire"), args=args, keywords=keywords):
                if len(args) > 1 or "timeout" in [keyword.arg for keyword in keywords]:
                    return True
    return False


async def _different_users(case: Case, profiles: Any) -> None:
    case.tries("Grace and Alan are asked for at once, and a little later both once more.")
    expected = "all get their answers, and the backend is asked once for each of them"
    backend = Backend()
    visits = ["/?user=grace", "/?user=alan"]
    with running_apart(backend.app) as url:
        app = _app(url, profiles)
        film = await case.visits(app, visits)
        again = await case.visits(app, visits)
    names = ["Grace Hopper", "Alan Turing"]
    right = [Answer(200, {"profile": name}) for name in names]
    got = f"{answers_in_words([*film.answers, *again.answers])}\n{_count(backend)}"
    if film.answers != right or again.answers != right:
        if len({str(answer) for answer in film.answers}) == 1:
            case.refuse(ONE_FOR_ALL, expected, case.with_error(got))
        if NO_ANSWER in {answer.status for answer in again.answers}:
            case.refuse(NOT_RELEASED, expected, got)
        case.refuse_if_anything_went_wrong(expected)
        case.refuse(None, expected, got)
    if len(backend.asked) != 2:
        case.refuse(FORGETS, expected, got)


async def _nothing_to_say(case: Case, profiles: Any) -> None:
    case.tries("Bob's answer about Nobody is an empty text. She is asked for twice.")
    expected = "both get the empty text, and the backend is asked once"
    asked: list[str] = []

    class Silence(RequestHandler):
        def get(self) -> None:
            asked.append(self.get_argument("user"))
            self.write({"profile": ""})

    with running_apart(Application([(r"/profile", Silence)])) as url:
        app = _app(url, profiles)
        film = await case.visits(app, ["/?user=nobody"])
        again = await case.visits(app, ["/?user=nobody"])
    answers = [*film.answers, *again.answers]
    got = f"{answers_in_words(answers)}\nThe backend was asked {len(asked)} times."
    if answers != [Answer(200, {"profile": ""})] * 2 or len(asked) != 1:
        case.refuse_if_anything_went_wrong(expected)
        case.refuse(FALSE_FOR_NONE, expected, got)


async def _failure(case: Case, profiles: Any) -> None:
    case.tries(
        "two people ask for Ada at once, and the backend fails. Then it is well, and somebody "
        "asks again."
    )
    expected = "two get the exception that Bob raises, then one gets the answer"
    backend = Backend(hold=True, fail={"profile"})

    async def fail_when_both_wait(film: Film) -> None:
        await until(lambda: film.together == 2 and bool(backend.asked))
        backend.release("profile")

    with running_apart(backend.app) as url:
        app = _app(url, profiles)
        first = await case.visits(app, ["/?user=ada"] * 2, fail_when_both_wait)
        backend.fail = ()
        second = await case.visits(app, ["/?user=ada"])
    answers = [*first.answers, *second.answers]
    if answers == [FAILED, FAILED, Answer(200, {"profile": "Ada Lovelace"})]:
        return
    got = answers_in_words(answers)
    if NO_ANSWER in {answer.status for answer in answers}:
        locks = case.uses("Lock", "Semaphore", "Condition")
        case.refuse(NOT_RELEASED if locks else NEVER_FILLED, expected, got)
    if first.answers == [FAILED] * 2 and second.answers == [FAILED]:
        case.refuse(REMEMBERS_FAILURE, expected, got)
    if not backend.asked and first.answers[0].status == 200:
        case.refuse(SHARED, expected, f"{got}\n{_count(backend)}")
    if first.answers[0] != FAILED and first.answers[0].status == 200:
        case.refuse(HIDES_FAILURE, expected, got)
    case.refuse_if_anything_went_wrong(expected)
    case.refuse(None, expected, got)


def _app(url: str, profiles: Any, ended: list[RequestHandler] | None = None) -> Application:
    class Profile(RequestHandler):
        @tornalet
        def get(self) -> None:
            try:
                self.write({"profile": profiles.get(url, self.get_argument("user"))})
            except requests.RequestException:
                self.set_status(502)
                self.write("Bob failed")

    log = (ended if ended is not None else []).append
    return Application([(r"/", Profile)], log_function=log)
