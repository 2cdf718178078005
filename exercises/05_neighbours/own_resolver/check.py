"""Names are looked up alone and together; answers age, questions fail, and people leave."""

from __future__ import annotations

import ast
import asyncio
import gc
import inspect
import socket
import threading
from collections.abc import Awaitable, Sequence
from typing import Any, NoReturn

from tornado.netutil import Resolver

from classroom.examining.case import Case, turns, until
from classroom.examining.clockwork import LONG, let_pass
from classroom.examining.kinds import code_exercise
from classroom.examining.mistakes import (
    AWAITED_TWICE,
    FORGOTTEN_AWAIT,
    HOLDS,
    MISSING,
    POLLS,
    SHORT_DEADLINE,
)
from classroom.examining.rendering import GIVE_UP_AFTER, described, shown
from classroom.examining.verdict import Mistake

from .mistakes import (
    DEAD,
    ERROR_KEPT,
    ERROR_LOST,
    FOREVER,
    IN_TURN,
    IN_VAIN,
    INITIALIZE,
    KEPT_AT_ZERO,
    LEFT_WAITING,
    NOT_KEPT,
    NOT_SHARED,
    OLD_TIMER,
    ONE_AT_A_TIME,
    ONE_FOR_ALL,
    OTHER_CLOCK,
    OTHER_FORM,
    OTHER_THREAD,
    PORT,
    SHARED_BY_ALL,
    STAYS,
    TAKES_ALONG,
    UNHEARD,
)

# Seconds for which answers are good.
GOOD = 90
# Seconds that an answer takes, which do not count among those for which it is good.
SLOW = 20


class Servers:
    """What the answer is given as `ask`: it notes who is asked for, and answers when told to.

    Attributes:
        asked: the names, in their order.
        elsewhere: whether it was called in another thread, where nobody answers.
    """

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.elsewhere = False
        self._thread = threading.get_ident()
        self._open: list[tuple[object, asyncio.Future[tuple[list[str], int]]]] = []

    async def ask(self, name: str) -> tuple[list[str], int]:
        """Wait until the answer is let go."""
        self.asked.append(name)
        self.elsewhere = self.elsewhere or threading.get_ident() != self._thread
        self._open.append((name, asyncio.get_running_loop().create_future()))
        return await self._open[-1][1]

    def is_asked(self, name: str) -> bool:
        """Return whether somebody waits for an answer about a name."""
        return any(each == name and not future.done() for each, future in self._open)

    def answer(self, name: str, *addresses: str, good: int = GOOD) -> None:
        """Answer all who ask for a name."""
        for each, future in self._open:
            if each == name and not future.done():
                future.set_result(([*addresses], good))

    def fail(self, name: str, error: OSError) -> None:
        """Have all questions about a name fail."""
        for each, future in self._open:
            if each == name and not future.done():
                future.set_exception(error)


class Visitor:
    """Somebody who looks up a name."""

    def __init__(self, name: str, port: int, task: asyncio.Future[Any]) -> None:
        self.name, self.port, self.task = name, port, task

    def pairs(self, *addresses: str) -> list[tuple[int, tuple[str, int]]]:
        """Return what they should get."""
        return [(socket.AF_INET, (address, self.port)) for address in addresses]


class Room:
    """The answer, made into a resolver, and those who come to it."""

    def __init__(self, case: Case, kind: Any) -> None:
        self.case, self.kind = case, kind
        self.servers = Servers()
        self.resolver = self.made(self.servers)

    def made(self, servers: Servers) -> Any:
        """Return a resolver that asks some servers."""
        expected = "`OnceResolver(ask)` makes a resolver"
        try:
            return self.kind(servers.ask)
        except TypeError as error:
            if "__init__" in vars(self.kind):
                self.case.refuse(INITIALIZE, expected, described(error))
            self.case.refuse_error(error, expected)
        except Exception as error:
            self.case.refuse_error(error, expected)

    async def come(self, name: str, port: int = 80, resolver: Any = None) -> Visitor:
        """Have somebody look up a name, and let the loop go round."""
        expected = "what `resolve` returns can be awaited"
        try:
            found = (resolver or self.resolver).resolve(name, port)
        except Exception as error:
            self.case.refuse_error(error, expected)
        if not isinstance(found, Awaitable):
            self.case.refuse(MISSING, expected, f"it is {shown(found)}")
        try:
            task = asyncio.ensure_future(found)
        except Exception as error:
            self.case.refuse_error(error, expected)
        await turns()
        return Visitor(name, port, task)

    async def gets(
        self,
        visitor: Visitor,
        *addresses: str,
        if_other: Mistake | None = None,
        if_waiting: Mistake | None = None,
        if_cancelled: Mistake | None = None,
    ) -> None:
        """Refuse the answer unless somebody gets these addresses, with their port."""
        case, task = self.case, visitor.task
        wanted = visitor.pairs(*addresses)
        expected = f"`resolve` for {visitor.name} and port {visitor.port} gives {shown(wanted)}"
        await until(task.done)
        await turns()
        if not task.done():
            case.refuse_if_anything_went_wrong(expected)
            got = f"it gives nothing, after {GIVE_UP_AFTER:g} seconds"
            case.refuse(if_waiting, expected, got)
        if task.cancelled():
            case.refuse(if_cancelled, expected, "it is cancelled")
        if error := task.exception():
            self.why(error, expected)
        found = task.result()
        if _plain(found) == wanted:
            return
        ports_aside = [pair[1][0] for pair in _plain(found) or []] == [*addresses]
        if ports_aside and _plain(found) == [
            (socket.AF_INET, (address, _plain(found)[0][1][1])) for address in addresses
        ]:
            case.refuse(PORT, expected, f"it gives {shown(found)}")
        mistake = if_other if _plain(found) else OTHER_FORM
        case.refuse(mistake, expected, f"it gives {shown(found)}")

    def why(self, error: BaseException, expected: str) -> NoReturn:
        """Refuse an answer for an exception."""
        where = self.case.line_of(error)
        got = f"{described(error)} ({where})" if where else described(error)
        if "cannot reuse already awaited" in str(error):
            self.case.refuse(AWAITED_TWICE, expected, got)
        if "coroutine object" in str(error):
            self.case.refuse(FORGOTTEN_AWAIT, expected, got)
        self.case.refuse_error(error, expected)

    def refuse_unless_asked(
        self, expected: str, mistake: Mistake | None, times: int, name: str
    ) -> None:
        """Refuse an answer unless `ask` has been called so many times for a name."""
        number = self.servers.asked.count(name)
        if number != times:
            how_often = {0: "it is not called", 1: "it is called once"}
            got = how_often.get(number, f"it is called {number} times")
            self.case.refuse_if_anything_went_wrong(expected)
            self.case.refuse(mistake, expected, got)


def _plain(found: object) -> Any:
    """Return pairs in the form in which they are compared, or nothing if they are none."""
    try:
        pairs: list[Any] = [(kind, place) for kind, place in found]  # type: ignore[attr-defined]
        good = isinstance(found, Sequence) and all(
            isinstance(place, tuple) and len(place) == 2 and isinstance(place[0], str)
            for _, place in pairs
        )
    except (TypeError, ValueError):
        return None
    return pairs if good else None


@code_exercise(
    (
        "Begin with those who come at the same time: a dictionary, made in `initialize`, from "
        "the name to the question that is under way.",
        "A question that is a task can be awaited by many. It gives all of them the same "
        "answer, or the same error.",
        "Keep with an answer the time until which it is good, `loop.time() + seconds`. "
        "Or `loop.call_later(seconds, ...)` takes it out.",
        "`task = asyncio.create_task(self.question(host))` is put into the dictionary before "
        "anybody waits. Each waits by `await asyncio.shield(task)`.",
    ),
    INITIALIZE,
    NOT_SHARED,
    IN_VAIN,
    IN_TURN,
    ONE_AT_A_TIME,
    ONE_FOR_ALL,
    SHARED_BY_ALL,
    PORT,
    OTHER_FORM,
    OTHER_THREAD,
    NOT_KEPT,
    OLD_TIMER,
    FOREVER,
    OTHER_CLOCK,
    KEPT_AT_ZERO,
    ERROR_KEPT,
    ERROR_LOST,
    LEFT_WAITING,
    UNHEARD,
    TAKES_ALONG,
    STAYS,
    DEAD,
    POLLS,
    SHORT_DEADLINE,
    another_way=(
        "Another right way: `await asyncio.wait([task])`, and then `task.result()`. `wait` "
        "never cancels what it waits for."
    ),
    known_by="wait",
    instead=(
        "Another right way: `await asyncio.shield(task)`, which passes on what the task gives, "
        "and not your own cancellation to the task."
    ),
)
async def own_resolver(case: Case) -> None:
    """One alone, three at once, an answer that ages, errors, and people who leave."""
    case.if_stuck = HOLDS
    kind: Any = case.defined("OnceResolver")
    if not (inspect.isclass(kind) and issubclass(kind, Resolver)):
        case.refuse(MISSING, "`OnceResolver` is a class made from `Resolver`", shown(kind))
    room = Room(case, kind)
    await _one_alone(room)
    await _several_at_once(room)
    await _two_resolvers(room)
    await _errors(room)
    await _who_leaves(room)
    gc.collect()
    case.refuse_if_anything_went_wrong("nothing goes to the log")


async def _one_alone(room: Room) -> None:
    case, servers = room.case, room.servers
    case.tries("Ada looks up shop.example, for port 80. The answer takes its time.")
    ada = await room.come("shop.example")
    expected = "`ask` is called once, with the name"
    if ada.task.done() and (error := _error(ada.task)):
        room.why(error, expected)
    if case.uses("to_thread", "run_in_executor", "Thread", "ThreadPoolExecutor"):
        await until(lambda: servers.elsewhere)
    if servers.elsewhere:
        case.refuse(OTHER_THREAD, "`ask` is awaited on the loop", "a thread has called it")
    room.refuse_unless_asked(expected, None, 1, "shop.example")
    await case.refuse_if_it_polls("nothing is done while the answer is on its way")
    let_pass()
    await turns()
    if ada.task.done():
        expected = "`resolve` waits for the answer"
        error = _error(ada.task)
        if error and not isinstance(error, TimeoutError):
            room.why(error, expected)
        got = f"it gives up within {LONG:g} seconds"
        if not error and not ada.task.cancelled():
            got = f"it gives {shown(ada.task.result())} before that"
        case.refuse(SHORT_DEADLINE if error else OTHER_FORM, expected, got)
    case.tries(f"It comes: two addresses, good for {GOOD} seconds.")
    servers.answer("shop.example", "192.0.2.1", "192.0.2.2")
    await room.gets(ada, "192.0.2.1", "192.0.2.2")
    case.refuse_if_anything_went_wrong("nothing goes to the log")

    case.tries(f"{GOOD - 10} seconds later Grace looks it up, for port 443.")
    let_pass(GOOD - 10)
    await turns()
    grace = await room.come("shop.example", 443)
    expected = "`ask` is not called again, since its answer is still good"
    mistake = IN_VAIN if grace.task.done() else NOT_KEPT
    room.refuse_unless_asked(expected, mistake, 1, "shop.example")
    await room.gets(grace, "192.0.2.1", "192.0.2.2")

    case.tries("20 seconds later Alan and Edith look it up. The shop has moved.")
    let_pass(20)
    await turns()
    alan = await room.come("shop.example")
    expected = "`ask` is called again, since its answer is not good any more"
    if alan.task.done() and (error := _error(alan.task)):
        room.why(error, expected)
    mistake = OTHER_CLOCK if _has_another_clock(case) else FOREVER
    room.refuse_unless_asked(expected, mistake, 2, "shop.example")
    edith = await room.come("shop.example")
    expected = "`ask` is called once for both"
    mistake = FOREVER if edith.task.done() else NOT_SHARED
    room.refuse_unless_asked(expected, mistake, 2, "shop.example")
    case.tries(f"Their answer takes {SLOW} seconds. It is good for {GOOD + SLOW}.")
    let_pass(SLOW)
    await turns()
    if alan.task.done() and isinstance(_error(alan.task), TimeoutError):
        got = f"it gives up within {SLOW} seconds"
        case.refuse(SHORT_DEADLINE, "`resolve` waits for the answer", got)
    servers.answer("shop.example", "192.0.2.3", good=GOOD + SLOW)
    for visitor in (alan, edith):
        await room.gets(visitor, "192.0.2.3", if_other=FOREVER)

    case.tries(f"{GOOD + SLOW // 2} seconds after that answer Barbara looks it up.")
    let_pass(GOOD + SLOW // 2)
    await turns()
    barbara = await room.come("shop.example")
    expected = "`ask` is not called again, since its answer is still good"
    mistake = OLD_TIMER if case.uses("call_later", "call_at", "sleep") else NOT_KEPT
    room.refuse_unless_asked(expected, mistake, 2, "shop.example")
    await room.gets(barbara, "192.0.2.3")


def _error(task: asyncio.Future[Any]) -> BaseException | None:
    return None if task.cancelled() else task.exception()


def _has_another_clock(case: Case) -> bool:
    imports = [node for node in ast.walk(case.tree) if isinstance(node, ast.Import)]
    modules = {alias.name for node in imports for alias in node.names}
    others = ("monotonic", "perf_counter", "time_ns", "monotonic_ns", "now", "IOLoop")
    return "time" in modules or case.uses(*others)


async def _several_at_once(room: Room) -> None:
    case, servers = room.case, room.servers
    case.tries("Three look up busy.example at once, for the ports 80, 443 and 8080.")
    three = [await room.come("busy.example", port) for port in (80, 443, 8080)]
    expected = "`ask` is called once for busy.example, for all three"
    mistake = NOT_SHARED if servers.asked.count("busy.example") else ONE_FOR_ALL
    room.refuse_unless_asked(expected, mistake, 1, "busy.example")
    case.tries("Meanwhile, another one looks up idle.example, whose answer comes at once.")
    other = await room.come("idle.example")
    expected = "`ask` is called for idle.example, while the other answer is on its way"
    mistake = ONE_FOR_ALL if other.task.done() else ONE_AT_A_TIME
    room.refuse_unless_asked(expected, mistake, 1, "idle.example")
    servers.answer("idle.example", "192.0.2.7")
    await room.gets(other, "192.0.2.7", if_waiting=ONE_AT_A_TIME, if_other=ONE_FOR_ALL)
    await case.refuse_if_it_polls("nothing is done while the answer is on its way")
    case.tries("The answer about busy.example comes, and is good for 0 seconds.")
    servers.answer("busy.example", "192.0.2.5", good=0)
    await turns()
    expected = "those who waited get it, and `ask` is not called again for them"
    room.refuse_unless_asked(expected, IN_TURN, 1, "busy.example")
    for visitor in three:
        await room.gets(visitor, "192.0.2.5", if_waiting=LEFT_WAITING, if_other=ONE_FOR_ALL)
    case.tries("Then somebody looks up busy.example again.")
    visitor = await room.come("busy.example")
    expected = "`ask` is called again, since an answer that is good for 0 seconds is not kept"
    room.refuse_unless_asked(expected, KEPT_AT_ZERO, 2, "busy.example")
    servers.answer("busy.example", "192.0.2.6")
    await room.gets(visitor, "192.0.2.6", if_other=KEPT_AT_ZERO)


async def _two_resolvers(room: Room) -> None:
    room.case.tries("A second resolver, which asks others, looks up shop.example.")
    servers = Servers()
    visitor = await room.come("shop.example", resolver=room.made(servers))
    expected = "the second resolver calls its own `ask`"
    if servers.asked != ["shop.example"]:
        room.case.refuse(SHARED_BY_ALL, expected, "it does not")
    servers.answer("shop.example", "192.0.2.99")
    await room.gets(visitor, "192.0.2.99", if_other=SHARED_BY_ALL)


async def _errors(room: Room) -> None:
    case, servers = room.case, room.servers
    error = OSError("no server could tell")
    case.tries("Ada alone looks up lost.example, and that fails.")
    ada = await room.come("lost.example")
    servers.fail("lost.example", error)
    await _all_hear(room, [ada], error)
    for times, again in ((2, ""), (3, " once more")):
        case.tries(f"Two look it up again{again}, and that fails, too.")
        two = [await room.come("lost.example", port) for port in (80, 443)]
        expected = "`ask` is called again, once for both, since an error is not kept"
        asked = servers.asked.count("lost.example")
        mistake = ERROR_KEPT if asked < times else NOT_SHARED
        room.refuse_unless_asked(expected, mistake, times, "lost.example")
        servers.fail("lost.example", error)
        await turns()
        expected = "those who waited get the error, and `ask` is not called again for them"
        room.refuse_unless_asked(expected, IN_TURN, times, "lost.example")
        await _all_hear(room, two, error)
    case.tries("They look it up a last time, and there is an answer.")
    last = await room.come("lost.example")
    expected = "`ask` is called again"
    room.refuse_unless_asked(expected, ERROR_KEPT, 4, "lost.example")
    servers.answer("lost.example", "192.0.2.8")
    await room.gets(last, "192.0.2.8", if_waiting=LEFT_WAITING)
    case.tries("When that is not good any more, it is asked for again, and that fails.")
    let_pass(GOOD + 10)
    await turns()
    one = await room.come("lost.example")
    room.refuse_unless_asked(expected, FOREVER, 5, "lost.example")
    servers.fail("lost.example", error)
    await _all_hear(room, [one], error)


async def _all_hear(room: Room, visitors: list[Visitor], error: OSError) -> None:
    """Refuse the answer unless all get an error, and nobody else does."""
    case = room.case
    expected = "`resolve` raises the error that `ask` has raised"
    for visitor in visitors:
        await until(visitor.task.done)
        await turns()
        if not visitor.task.done():
            got = f"one waits on, after {GIVE_UP_AFTER:g} seconds"
            case.refuse_if_anything_went_wrong(expected)
            case.refuse(LEFT_WAITING, expected, got)
        if visitor.task.cancelled():
            case.refuse(ERROR_LOST, expected, "one is cancelled")
        raised = visitor.task.exception()
        if raised is None:
            case.refuse(ERROR_LOST, expected, f"it gives {shown(visitor.task.result())}")
        # Made once more is as good, if it says the same.
        if type(raised) is not type(error) or raised.args != error.args:
            if isinstance(raised, NameError | AttributeError | TypeError | LookupError):
                room.why(raised, expected)
            case.refuse(ERROR_LOST, expected, f"it raises {described(raised)}")
        # It keeps all that the exception refers to, whose end the log shall tell.
        del visitor.task, raised
    error.__traceback__ = None
    gc.collect()
    await turns()
    expected = "nothing goes to the log, since those who wait hear the error"
    for heard in case.errors:
        if error.args[0] in heard.text:
            case.refuse(UNHEARD, expected, str(heard))
    case.refuse_if_anything_went_wrong(expected)


async def _who_leaves(room: Room) -> None:
    for place, which in ((0, "first"), (1, "second")):
        name = f"{which}.example"
        room.case.tries(f"Three look up {name}, and the {which} of them is cancelled.")
        three = [await room.come(name, port) for port in (80, 443, 8080)]
        await _leaves(room, three.pop(place))
        # Who asked may have taken the question along; then another one may ask in their place.
        for _ in range(2):
            room.servers.answer(name, "192.0.2.4")
            await turns()
        for visitor in three:
            await room.gets(
                visitor,
                "192.0.2.4",
                if_waiting=TAKES_ALONG if place else LEFT_WAITING,
                if_cancelled=TAKES_ALONG,
            )
        room.case.refuse_if_anything_went_wrong("nothing goes to the log")
    room.case.tries(
        "Somebody alone looks up third.example, and is cancelled. Another one comes."
    )
    await _leaves(room, await room.come("third.example"))
    another = await room.come("third.example")
    room.servers.answer("third.example", "192.0.2.4")
    await room.gets(another, "192.0.2.4", if_waiting=DEAD, if_cancelled=DEAD)


async def _leaves(room: Room, visitor: Visitor) -> None:
    visitor.task.cancel()
    await turns()
    expected = "who is cancelled leaves"
    if not visitor.task.done():
        room.case.refuse(STAYS, expected, "`resolve` goes on")
    if not visitor.task.cancelled():
        error = visitor.task.exception()
        got = f"`resolve` {f'raises {described(error)}' if error else 'returns'} instead"
        room.case.refuse(STAYS, expected, got)
