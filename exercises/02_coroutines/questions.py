"""What the exercises share in which a function asks many questions and returns the answers."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from asyncio import Future, Task
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NoReturn

from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from classroom.examining.case import Case, turns
from classroom.examining.clockwork import LONG
from classroom.examining.evidence import NOTHING, awaited_in_vain, operand_of, place_of
from classroom.examining.mistakes import (
    ALREADY_CALLED,
    ASKS_TWICE,
    CHANGES_THE_LIST,
    FOR_COROUTINES,
    YIELDS,
    mistake_of,
)
from classroom.examining.rendering import GIVE_UP_AFTER, described, shown
from classroom.examining.verdict import Mistake
from loopfilm import Film, by_user, film, running
from stormy_demo.backend import Backend

PROMISES = Mistake(
    "promises",
    "promises where answers were wanted",
    (
        "What is it that you have there: an answer, or something that will be one some day?",
        "One `await` is missing. `await asyncio.gather(...)` waits for all of them, and "
        "gives a list of results.",
    ),
)
RESULTS_NOT_READ = Mistake(
    "results_not_read",
    "tasks that are done, and whose results nobody reads",
    (
        "Your code waits until all are done. Where are the bodies then?",
        "Keep the tasks in a list. When they are done, `task.result()` is what each returned.",
    ),
)
LOOKS_TOO_EARLY = Mistake(
    "looks_too_early",
    "a look at a result that is not there yet",
    (
        "`result()` does not wait. Is the answer there when you call it?",
        "Wait first. A group has waited for its tasks when its `async with` block is over.",
    ),
)
AWAITS_A_LIST = Mistake(
    "awaits_a_list",
    "an `await` in front of a list",
    (
        "`await` waits for one thing, and a list is not something that is done one day.",
        "`asyncio.gather(*[...])` makes one thing of many that can be awaited.",
    ),
)
GATHERS_A_LIST = Mistake(
    "gathers_a_list",
    "a list given to `asyncio.gather`",
    (
        "How many things does your `gather` get: all the questions, or one list?",
        "A star takes the things out of the list: `asyncio.gather(*[...])`.",
    ),
)
TASK_OF_A_FUTURE = Mistake(
    "task_of_a_future",
    "a task made of a future",
    (
        "What does `fetch` return: a coroutine that wants to be started, or a future?",
        "What `fetch` returns is under way already and needs no task: give it to "
        "`asyncio.gather`. Or write an `async def` that awaits it, and make a task of that.",
    ),
)
ORDER_OF_COMING = Mistake(
    "order_of_coming",
    "answers in another order than the questions",
    (
        "Who answers first need not be the one who was asked first.",
        "Let each answer keep the place of its question: `asyncio.gather` gives the results in "
        "the order of what you gave it, and a list of tasks keeps its order.",
    ),
)
RESPONSES = Mistake(
    "responses",
    "the responses instead of their bodies",
    (
        "A response has a status and headers too. Which part of it is wanted?",
        "`response.body`, for each of them.",
    ),
)
ONLY_SOME = Mistake(
    "only_some",
    "some of the answers, and not all",
    (
        "How many are asked, and how many does your code wait for?",
        "Leave away what lets you go on after the first, or takes a part of the list: wait for "
        "all of them.",
    ),
)
OTHER_BODIES = Mistake(
    "other_bodies",
    "bodies that were made into something else",
    (
        "What is in your list, and what is a body before you do anything with it?",
        "The bodies are wanted as they came: `response.body`, and no `decode`.",
    ),
)
NOTHING_RETURNED = Mistake(
    "nothing_returned",
    "a function that returns nothing",
    (
        "What does a function give when it comes to its end without a `return`?",
        "`return` the list of bodies.",
    ),
)
ADDRESSES = Mistake(
    "addresses",
    "addresses where calls were wanted",
    (
        "Who asks at these addresses? An address is a text, and nobody can wait for a text.",
        "`client.fetch(url)` asks, and returns what can be awaited: "
        "`asyncio.gather(*[client.fetch(url) for url in urls])`.",
    ),
)
NOT_CALLED = Mistake(
    "not_called",
    "a function that nobody called",
    (
        "What is in the list that you made: calls of your function, or the function itself?",
        "With brackets and its arguments it is called: `ask(url)`.",
    ),
)
NOT_STARTED = Mistake(
    "not_started",
    "coroutines that nobody has started",
    (
        "A call of an `async def` makes a coroutine, and starts nothing. When does the second "
        "of yours begin?",
        "Awaited one by one, they run one by one. `asyncio.gather(*coroutines)` starts all of "
        "them, and so does `asyncio.create_task` for each.",
    ),
)

# Where an argument that is no awaitable, or no coroutine, raises a TypeError.
GATHERING = [
    ("asyncio.tasks", name) for name in ("gather", "wait", "ensure_future", "_ensure_future")
]
MAKING_A_TASK = [
    ("asyncio.base_events", "create_task"),
    ("asyncio.tasks", "create_task"),
    ("asyncio.taskgroups", "create_task"),
]


class Client(SimpleAsyncHTTPClient):
    """A client that counts.

    Attributes:
        asked: the addresses that it was asked for.
        came: the addresses whose answers have come.
        under_way: the promises of the answers that have not come.
        most: the largest number of questions that were under way at once.
        errors: for each address that failed, its error as `str` and as `repr` show it.
    """

    def initialize(self, *args: Any, **settings: Any) -> None:
        """Begin to count."""
        super().initialize(*args, **settings)
        self.asked: list[str] = []
        self.came: list[str] = []
        self.under_way: set[Future[HTTPResponse]] = set()
        self.most = 0
        self.errors: dict[str, tuple[str, str]] = {}

    def fetch_impl(
        self, request: HTTPRequest, callback: Callable[[HTTPResponse], None]
    ) -> None:
        """Ask, and note the error."""

        # Not in `fetch`: to ask the future for its exception says that somebody has heard it.
        def note_and_call(response: HTTPResponse) -> None:
            if response.error:
                self.errors[request.url] = str(response.error), repr(response.error)
            callback(response)

        super().fetch_impl(request, note_and_call)

    def fetch(
        self, request: str | HTTPRequest, raise_error: bool = True, **settings: Any
    ) -> Future[HTTPResponse]:
        """Ask, and count."""
        url = request.url if isinstance(request, HTTPRequest) else request
        response = super().fetch(request, raise_error=raise_error, **settings)
        self.asked.append(url)
        # Whoever looks at a future can know that it is done before its callbacks run.
        self.under_way = {each for each in self.under_way if not each.done()} | {response}
        self.most = max(self.most, len(self.under_way))
        # Its callbacks run before the code that awaits the response does.
        response.add_done_callback(lambda _: self.came.append(url))
        return response


# So it is called in what learners are shown.
Client.__name__ = "AsyncHTTPClient"


def new_client() -> Client:
    """Return a client that keeps nobody waiting."""
    return Client(force_instance=True, max_clients=100)


def questions(url: str, people: Sequence[str]) -> list[str]:
    """Return the address of each person's profile."""
    return [f"{url}/profile?user={person}" for person in people]


def bodies(people: Sequence[str]) -> list[bytes]:
    """Return what the backend answers."""
    full = {"ada": "Ada Lovelace", "grace": "Grace Hopper", "alan": "Alan Turing"}
    return [b'{"profile": "%s"}' % full.get(who, who.title()).encode() for who in people]


def begin(function: Callable[..., Any], *args: Any) -> Task[Any]:
    """Call a function of the learner's, and await what it returns, if it can be awaited.

    Args:
        function: the function.
        *args: what to call it with.

    Returns:
        A task of that.
    """

    async def call() -> Any:
        answer = function(*args)
        return await answer if inspect.isawaitable(answer) else answer

    return asyncio.create_task(call())


async def with_patience(case: Case, attempt: Callable[[float], Awaitable[bool]]) -> None:
    """Try something with a backend that takes some time, or else with one in a hurry.

    Args:
        case: the case.
        attempt: tries it, with a backend that takes so many seconds, and returns whether the
            learner's code has a deadline that is over by then. That is its own affair.
    """
    if await attempt(LONG):
        await turns()
        # Of questions that were given up.
        case.errors.clear()
        await attempt(0.0)


def gave_up(client: Client, asking: Task[Any]) -> bool:
    """Return whether questions ended before anybody answered one, by a deadline.

    Args:
        client: the one that asked.
        asking: the call of the learner's function.
    """
    error = asking.exception() if asking.done() and not asking.cancelled() else None
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    # A task group cancels the questions also when somebody looks too early.
    return bool(client.came) and not isinstance(error, asyncio.InvalidStateError)


def refuse_if_asked_twice(case: Case, client: Client) -> None:
    """Refuse that a client was asked for the same address again."""
    for url in client.asked:
        if client.asked.count(url) > 1:
            path = url[url.index("/", len("http://")) :]
            case.refuse(ASKS_TWICE, "each is asked once", f"{path} is asked for twice")


def refuse_if_changed(case: Case, urls: Sequence[str], before: Sequence[str]) -> None:
    """Refuse an answer that has changed the list of addresses that it was given."""
    if [*urls] != [*before]:
        got = f"{len(urls)} of {len(before)} addresses stand in it afterwards"
        if len(urls) == len(before):
            got = "its addresses are others afterwards, or stand in another order"
        case.refuse(CHANGES_THE_LIST, "the list that was given stays as it is", got)


def so_few(asked: int) -> str:
    """Return in words that no more than so many questions have come."""
    if asked == 1:
        return "one question comes, and no other while that one waits for its answer"
    return f"{asked} come, and no other while those wait" if asked else "no question comes"


async def staircase(ask_all: Callable[..., Any], *args: Any) -> Film:
    """Make a film of how three questions are asked one after another.

    Args:
        ask_all: a function of the learner's.
        *args: what it wants beside the client and the questions.
    """
    backend = Backend(0.2)
    backend.app.settings["lane"] = by_user
    async with running(backend.app) as url:
        with film(red=0.4) as f, contextlib.suppress(Exception):
            people = ["ada", "grace", "alan"]
            asking = begin(ask_all, new_client(), questions(url, people), *args)
            await asyncio.wait([asking], timeout=GIVE_UP_AFTER)
    return f


def judge(case: Case, asking: Task[Any], wanted: list[bytes], expected: str) -> None:
    """Refuse what the learner's function gave, if it is not what was wanted.

    Args:
        case: the case.
        asking: the call of that function.
        wanted: the bodies.
        expected: that, in words.
    """
    if not asking.done():
        case.refuse_if_anything_went_wrong(expected)
        case.refuse(None, expected, "all are answered, and your function never ends")
    if asking.cancelled():
        case.refuse(None, expected, "a CancelledError")
    if error := asking.exception():
        _why_an_error(case, error, expected)
    given = asking.result()
    if isinstance(given, (list, tuple)) and list(given) == wanted:
        case.refuse_if_anything_went_wrong(expected)
        return
    got = shown(given)
    things = list(given) if isinstance(given, (list, tuple, set)) else [given]
    futures = [thing for thing in things if isinstance(thing, Future)]
    if futures and all(future.done() for future in futures):
        case.refuse(RESULTS_NOT_READ, expected, got)
    if any(inspect.isawaitable(thing) for thing in things):
        case.refuse(PROMISES, expected, got)
    if any(isinstance(thing, HTTPResponse) for thing in things):
        case.refuse(RESPONSES, expected, got)
    if all(isinstance(thing, bytes) for thing in things) and sorted(things) == sorted(wanted):
        case.refuse(ORDER_OF_COMING, expected, got)
    case.refuse_if_anything_went_wrong(expected)
    if given is None:
        tasks = case.uses("create_task", "TaskGroup")
        case.refuse(RESULTS_NOT_READ if tasks else NOTHING_RETURNED, expected, got)
    if 0 < len(things) < len(wanted) and all(thing in wanted for thing in things):
        case.refuse(ONLY_SOME, expected, got)
    if any(inspect.isroutine(thing) for thing in things):
        case.refuse(NOT_CALLED, expected, got)
    others = things and all(isinstance(thing, str | dict | tuple) for thing in things)
    case.refuse(OTHER_BODIES if others else None, expected, got)


def _why_an_error(case: Case, error: BaseException, expected: str) -> NoReturn:
    # A task group wraps the exceptions of its tasks, and of its own block.
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text, where = described(error), case.line_of(error)
    place, operand = place_of(error), operand_of(error, case.tree)
    given = _given(error)
    at = (place.module, place.function) if place and isinstance(error, TypeError) else ("", "")
    # Which `gather` took for a coroutine, in Python 3.11.
    in_a_generator = place and place.function == "<genexpr>"
    if isinstance(error, asyncio.InvalidStateError):
        mistake = LOOKS_TOO_EARLY
    elif isinstance(given, str) or (awaited_in_vain(error) and "str" in text):
        mistake = ADDRESSES
    elif inspect.isfunction(given) or inspect.ismethod(given):
        mistake = NOT_CALLED
    elif inspect.isasyncgen(given):
        mistake = YIELDS
    elif (known := mistake_of(error, text, case.tree)) in (ALREADY_CALLED, FOR_COROUTINES):
        mistake = known
    # Only the message says what a call returned, since no name stands for it.
    elif awaited_in_vain(error) and (isinstance(operand, list) or "list" in text):
        mistake = AWAITS_A_LIST
    elif at in GATHERING or (isinstance(error, RuntimeError) and in_a_generator):
        mistake = GATHERS_A_LIST
    elif at in MAKING_A_TASK:
        mistake = TASK_OF_A_FUTURE
    elif isinstance(operand, Future) or "Future' object" in text or "Task' object" in text:
        mistake = PROMISES
    else:
        case.refuse_error(error, expected)
    case.refuse(mistake, expected, f"{text} ({where})" if where else text)


def _given(error: BaseException) -> object:
    """Return what was given to something that wants an awaitable, where it is known."""
    if isinstance(error, AttributeError):
        # `asyncio.wait` looks for no more than the methods of a future.
        return error.obj if error.name == "add_done_callback" else NOTHING
    place = place_of(error)
    wanting = ("gather", "ensure_future", "_ensure_future", "create_task", "convert_yielded")
    if not place or place.function not in wanting:
        return NOTHING
    values = place.frame.f_locals
    names = ("coro_or_future", "coro", "arg", "yielded")
    return next((values[name] for name in names if name in values), NOTHING)
