"""Two processes that share nothing but a broker, and are to say the same."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from classroom.examining.case import Case, turns, until
from classroom.examining.clockwork import let_pass
from classroom.examining.kinds import code_exercise
from classroom.examining.mistakes import HOLDS, POLLS
from classroom.examining.rendering import shown
from classroom.examining.verdict import Mistake

from .stream import Broker, Stream

# Readings in a row, while nothing has changed, that are no accident.
MANY = 30
SECONDS_OFF = 3.0

TWICE = Mistake(
    "twice",
    "a text that is delivered twice, at home",
    (
        "What you add to the stream, `read` gives back, to your process too. Who has delivered "
        "it by then?",
        "Let `say` only add. It is delivered when it comes back, as in all other processes.",
    ),
)
OWN_FIRST = Mistake(
    "own_first",
    "another order in each process",
    (
        "A process delivers its own text at once, and leaves it out when it comes back. Whose "
        "text is first here, and whose there?",
        "Only the stream knows one order for all. Deliver in the order of what `read` gives, "
        "your own texts too.",
    ),
)
ONLY_HERE = Mistake(
    "only_here",
    "news that stays in the process",
    (
        "Whom does `self.deliver` reach? And a list of rooms, in a class or a module: which "
        "process has that?",
        "Add the text to the stream, with `await self.broker.add(text)`, and have `listen` "
        "deliver what it reads there.",
    ),
)
STOPS = Mistake(
    "stops",
    "a `listen` that reads once",
    (
        "One `read` gives what is there now. Who reads what comes later?",
        "Put it into `while True:`.",
    ),
)
LISTENS_TWICE = Mistake(
    "listens_twice",
    "two who listen in one process",
    (
        "Whoever has made the room calls its `listen`. Who else does?",
        "Start no task in `__init__` or `say`: a text is delivered once for each `listen` that "
        "is under way.",
    ),
)
SKIPS = Mistake(
    "skips",
    "a text that is passed over, in all processes",
    (
        "`read(3)` gives what comes after 3. Which id is the first that you get?",
        "Give `read` the id of the last pair that you have delivered, as it is.",
    ),
)
KNOWN_TEXT = Mistake(
    "known_text",
    "a text that is taken for one that was there before",
    (
        "Two people may say yes. By what do you tell the second one from the first, delivered "
        "again?",
        "Each pair has an id of its own, and the texts may be alike. Keep the last id, and no "
        "texts.",
    ),
)
SAME_AGAIN = Mistake(
    "same_again",
    "the same news again and again",
    (
        "From which id do you read the second time?",
        "Each pair has an id. Keep that of the last pair, and read on from there.",
    ),
)
FROM_NOW = Mistake(
    "from_now",
    "a reader that begins with now, and loses what came before",
    (
        "`last()` says what the newest id is at this moment. Who delivers what came between "
        "your last reading and that?",
        "Begin with 0, and read on from the id that you yourself have delivered last, also "
        "when the connection was broken.",
    ),
)
STARTS_OVER = Mistake(
    "starts_over",
    "a reader that begins from the beginning when the connection was broken",
    (
        "The connection breaks, and is there again. From which id do you read now?",
        "Keep the id where an exception does not take it away: outside of the loop, or in "
        "`self`.",
    ),
)
DIES = Mistake(
    "dies",
    "a `listen` that ends when the connection breaks",
    (
        "`read` raises a `ConnectionError`. Who listens after that?",
        "`try` around the `read`, inside of the loop; `except ConnectionError`, pause, and go "
        "round.",
    ),
)
SPINS = Mistake(
    POLLS.key,
    "a broken connection that is tried again without a pause",
    (
        "The connection is broken, so `read` fails at once. How often does your loop try in a "
        "second?",
        "`await asyncio.sleep(0.1)` in the `except`, before the next try. (While it works, "
        "`read` waits by itself.)",
    ),
)
HIDES = Mistake(
    "hides_error",
    "a text that is lost, and nobody is told",
    (
        "`add` could not say that the text was added. What does the person think who said it?",
        "No `except` in `say`: let the `ConnectionError` come out.",
    ),
)
SAYS_AGAIN = Mistake(
    "says_again",
    "a text that is added again, and was there already",
    (
        "The connection broke before the answer came. Does that mean that nothing was added?",
        "Nobody here can know. Let the exception come out of `say`; who has said it decides.",
    ),
)
SWALLOWED = Mistake(
    "swallowed",
    "a cancellation that is caught and forgotten",
    (
        "The task is cancelled: a `CancelledError` is raised at the `await`. Which `except` of "
        "yours catches it?",
        "`except ConnectionError` catches what you want, and lets the cancellation pass.",
    ),
)
BLOCKING = Mistake(HOLDS.key, HOLDS.name, (*HOLDS.hints, "`await asyncio.sleep(0.1)` pauses."))


class Process:
    """One of several: it has the learner's code in a memory of its own, and a connection."""

    def __init__(self, case: Case, stream: Stream) -> None:
        # Run once more, so that what the code keeps in its module is kept for this one only.
        own = Case(case.source)
        own.load()
        self.broker = Broker(stream)
        self.heard: list[str] = []
        self.room = own.defined("Room")(self.broker, self.heard.append)
        self.listening: asyncio.Task[Any] | None = None

    def listen(self) -> asyncio.Task[Any]:
        """Have it listen, in a task."""

        async def run() -> None:
            await self.room.listen()

        self.listening = asyncio.create_task(run())
        return self.listening


@contextmanager
def _ended(*processes: Process) -> Iterator[None]:
    """Cancel the tasks of these at the end."""
    try:
        yield
    finally:
        for process in processes:
            if process.listening:
                process.listening.cancel()


def _keeps_the_id_in_self(tree: ast.Module) -> bool:
    """Return whether what `read` is given is kept in `self`."""
    for call in ast.walk(tree):
        match call:
            case ast.Call(func=ast.Attribute(attr="read"), args=args, keywords=keywords):
                given = [node for each in (*args, *keywords) for node in ast.walk(each)]
                if any(isinstance(node, ast.Attribute) for node in given):
                    return True
    return False


@code_exercise(
    (
        "What do the processes share? Only the broker. So what is the one way that a text may "
        "take from `say` to `deliver`?",
        "`say` adds, and nothing else. `listen` reads for ever, from the id that it delivered "
        "last, and delivers.",
        "`while True:`, and in it `news = await self.broker.read(last)`, in a `try` with "
        "`except ConnectionError:`, which pauses; a `for` delivers, and keeps the id.",
    ),
    TWICE,
    OWN_FIRST,
    ONLY_HERE,
    STOPS,
    LISTENS_TWICE,
    SKIPS,
    KNOWN_TEXT,
    SAME_AGAIN,
    FROM_NOW,
    STARTS_OVER,
    DIES,
    SPINS,
    HIDES,
    SAYS_AGAIN,
    SWALLOWED,
    BLOCKING,
    another_way=(
        "Another right way: keep the id in `self`, so that a second `listen` goes on where the "
        "first has ended."
    ),
    known_by=_keeps_the_id_in_self,
    instead=(
        "Another right way: keep the id in a variable of `listen`, so that each `listen` tells "
        "all texts from the first on."
    ),
)
async def in_step(case: Case) -> None:
    """Two speak, two speak at once, one comes late, a connection breaks, and all ends."""
    case.if_stuck = BLOCKING
    if not isinstance(case.defined("Room"), type):
        case.refuse(None, "`Room` is a class", f"it is {shown(case.defined('Room'))}")
    if _blocking_pause(case.tree):
        case.refuse(BLOCKING, "a pause that leaves the loop free", "`time.sleep` holds it")
    stream = Stream()
    ada, grace = Process(case, stream), Process(case, stream)
    with _ended(ada, grace):
        case.tries("two processes listen. Ada says one in the first, Grace two in the second.")
        ada.listen()
        grace.listen()
        await turns()
        await _say(case, ada, "one")
        await _both_hear(case, ada, grace, ["one"])
        await _say(case, grace, "two")
        await _both_hear(case, ada, grace, ["one", "two"])
        await case.refuse_if_it_polls("nothing is said, and both wait in `read`")
        await _at_once(case, ada, grace)

        case.tries("a third process begins to listen when four texts were said.")
        alan = Process(case, stream)
        with _ended(alan):
            alan.listen()
            await _hears(case, alan, ada.heard, FROM_NOW)

        await _broken(case, ada, grace)
        await _not_added(case, ada, grace)
        await _said_twice(case)
        await _end(case, ada)
    case.refuse_if_anything_went_wrong("nothing else goes wrong")


async def _said_twice(case: Case) -> None:
    stream = Stream()
    ada, grace = Process(case, stream), Process(case, stream)
    with _ended(ada, grace):
        case.tries("in another room Ada says yes, and Grace says yes.")
        ada.listen()
        grace.listen()
        await turns()
        await _say(case, ada, "yes")
        await _say(case, grace, "yes")
        await until(lambda: all(len(each.heard) >= 2 for each in (ada, grace)))
        await turns()
    if not ada.heard == grace.heard == ["yes", "yes"]:
        got = _delivered(ada, grace)
        case.refuse(KNOWN_TEXT, "both deliver it twice", got)


def _delivered(ada: Process, grace: Process) -> str:
    return f"the first delivers {_few(ada.heard)}, the second {_few(grace.heard)}"


async def _say(case: Case, process: Process, text: str) -> None:
    expected = f"`say({shown(text)})` adds it to the stream, and returns"
    said = process.room.say(text)
    if not isinstance(said, Awaitable):
        case.refuse(None, expected, "`say` is no `async def`")
    task = asyncio.ensure_future(said)
    await until(task.done)
    if not task.done():
        task.cancel()
        case.refuse(None, expected, case.with_error("it does not return"))
    if task.cancelled():
        case.refuse(None, expected, "it is cancelled")
    if error := task.exception():
        case.refuse_error(error, expected)


def _ends_of(process: Process) -> BaseException | str | None:
    """Return how the listening of a process has ended; None while it goes on."""
    task = process.listening
    if not task or not task.done():
        return None
    if task.cancelled():
        return "it is cancelled"
    return task.exception() or "it returns"


async def _both_hear(case: Case, ada: Process, grace: Process, texts: list[str]) -> None:
    """Insist on what both have heard by now."""
    expected = f"both deliver {shown(texts)}"
    await until(
        lambda: all(len(each.heard) >= len(texts) or _ends_of(each) for each in (ada, grace))
    )
    # What comes a second time, comes in the next turns.
    await turns()
    got = _delivered(ada, grace)
    if ada.heard == grace.heard == texts:
        for each in (ada, grace):
            _still_listens(case, each, expected, got)
        return
    for each in (ada, grace):
        ended = _ends_of(each)
        if isinstance(ended, BaseException):
            case.refuse_error(ended, expected)
    case.refuse_if_anything_went_wrong(expected)
    _repeated(case, ada, grace, texts, expected, got)
    if ada.heard[: len(texts)] == texts or grace.heard[: len(texts)] == texts:
        for each in (ada, grace):
            _still_listens(case, each, expected, got)
    known = [*ada.heard, *grace.heard]
    if known and all(text in texts for text in known):
        for each in (ada, grace):
            if len(each.heard) < len(texts) and each.broker.was_asked_for_last:
                case.refuse(FROM_NOW, expected, got)
        if ada.heard == grace.heard:
            case.refuse(SKIPS, expected, got)
        case.refuse(ONLY_HERE, expected, got)
    if not known and not case.uses("add"):
        case.refuse(ONLY_HERE, expected, got)
    for each in (ada, grace):
        _still_listens(case, each, expected, got)
    if grace.broker.was_asked_for_last:
        case.refuse(FROM_NOW, expected, got)
    case.refuse(None, expected, got)


def _repeated(
    case: Case, ada: Process, grace: Process, texts: list[str], expected: str, got: str
) -> None:
    """Refuse what was delivered more than once."""
    most = max((each.heard.count(text) for each in (ada, grace) for text in texts), default=0)
    if most < 2:
        return
    if any(case.uses("listen", inside=room) for room in ("__init__", "say")):
        case.refuse(LISTENS_TWICE, expected, got)
    everywhere = all(max(map(each.heard.count, texts)) > 1 for each in (ada, grace))
    only_own = not everywhere and most == 2
    case.refuse(TWICE if only_own or _speaks_twice(case) else SAME_AGAIN, expected, got)


def _speaks_twice(case: Case) -> bool:
    return case.uses("deliver", inside="say") and case.uses("add", inside="say")


def _still_listens(case: Case, process: Process, expected: str, got: str) -> None:
    ended = _ends_of(process)
    if isinstance(ended, BaseException):
        case.refuse_error(ended, expected)
    if ended:
        case.refuse(STOPS, expected, f"{got}\n`listen` does not go on: {ended}")


async def _at_once(case: Case, ada: Process, grace: Process) -> None:
    case.tries("Ada says three and Grace four at the same moment. Grace's is added first.")
    ada.broker.gate.clear()
    three = asyncio.ensure_future(ada.room.say("three"))
    await turns()
    four = asyncio.ensure_future(grace.room.say("four"))
    await until(four.done)
    await turns()
    ada.broker.gate.set()
    await until(three.done)
    expected = "both deliver four and then three"
    await until(lambda: all(len(each.heard) >= 4 for each in (ada, grace)))
    await turns()
    got = f"the first delivers {_few(ada.heard[2:])}, the second {_few(grace.heard[2:])}"
    if ada.heard == grace.heard == ["one", "two", "four", "three"]:
        return
    if ada.heard[2:] == ["three", "four"]:
        case.refuse(OWN_FIRST, expected, got)
    case.refuse_if_anything_went_wrong(expected)
    _repeated(case, ada, grace, ["three", "four"], expected, got)
    if grace.broker.was_asked_for_last:
        case.refuse(FROM_NOW, expected, got)
    case.refuse(None, expected, got)


async def _hears(
    case: Case, process: Process, texts: list[str], if_lost: Mistake | None
) -> None:
    """Insist on what one process delivers."""
    texts = [*texts]
    expected = f"it delivers {shown(texts)}"
    await until(lambda: len(process.heard) >= len(texts) or _ends_of(process) is not None)
    await turns()
    if process.heard == texts:
        return
    got = f"it delivers {_few(process.heard)}"
    _refuse_if_dead(case, process, expected, got, if_lost)
    if len(process.heard) > len(texts):
        case.refuse(STARTS_OVER if if_lost is not FROM_NOW else SAME_AGAIN, expected, got)
    case.refuse(if_lost, expected, got)


def _refuse_if_dead(
    case: Case, process: Process, expected: str, got: str, if_lost: Mistake | None
) -> None:
    ended = _ends_of(process)
    if isinstance(ended, ConnectionError):
        case.refuse(DIES, expected, f"{got}\n`listen` ends with a ConnectionError")
    if isinstance(ended, BaseException):
        case.refuse_error(ended, expected)
    if ended and if_lost is not FROM_NOW:
        case.refuse(DIES, expected, f"{got}\n`listen` does not go on: {ended}")


async def _broken(case: Case, ada: Process, grace: Process) -> None:
    case.tries(
        "the connection of the second process breaks. Meanwhile Ada says five. After "
        f"{SECONDS_OFF:g} seconds the connection is there again, and she says six."
    )
    before = [*ada.heard]
    grace.broker.cut()
    await turns()
    await _say(case, ada, "five")
    reads = grace.broker.reads
    for _ in range(100):
        await asyncio.sleep(0)
    if grace.broker.reads - reads >= MANY and not _ends_of(grace):
        expected = "while the connection is broken, the second process asks now and then"
        case.refuse(SPINS, expected, "it asks, fails, and asks again, without a pause")
    _refuse_if_dead(case, grace, "the second process goes on", "the connection breaks", None)
    grace.broker.is_cut = False
    let_pass(SECONDS_OFF)
    await until(lambda: len(grace.heard) > len(before), 1)
    await _say(case, ada, "six")
    wanted = [*before, "five", "six"]
    expected = f"the second process delivers {shown(wanted)}"
    await until(lambda: len(grace.heard) >= len(wanted) or _ends_of(grace) is not None)
    await turns()
    if grace.heard == wanted:
        return
    got = f"it delivers {_few(grace.heard)}"
    _refuse_if_dead(case, grace, expected, got, None)
    case.refuse_if_anything_went_wrong(expected)
    if len(grace.heard) > len(wanted) or grace.heard.count("one") > 1:
        case.refuse(STARTS_OVER, expected, got)
    if "five" not in grace.heard and "six" in grace.heard:
        case.refuse(FROM_NOW, expected, got)
    case.refuse(None, expected, got)


async def _not_added(case: Case, ada: Process, grace: Process) -> None:
    case.tries(
        "Ada says seven, and the connection breaks after that was added and before the answer "
        "is there."
    )
    expected = "her `say` raises the ConnectionError, and both deliver seven once"
    ada.broker.loses_answers = True
    task = asyncio.ensure_future(ada.room.say("seven"))
    for _ in range(10):
        await until(task.done, 0.2)
        let_pass(1)
        if task.done() or ada.heard.count("seven") > 1:
            break
    ada.broker.loses_answers = False
    await until(lambda: "seven" in ada.heard and "seven" in grace.heard)
    await turns()
    times = ada.heard.count("seven")
    if not task.done() or times > 1:
        task.cancel()
        got = f"seven is delivered {times} times" if times > 1 else "her `say` does not return"
        case.refuse(SAYS_AGAIN, expected, got)
    if task.cancelled() or not task.exception():
        case.refuse(HIDES, expected, "her `say` returns as if all were well")
    if not isinstance(error := task.exception(), ConnectionError):
        assert error is not None
        case.refuse_error(error, expected)


async def _end(case: Case, ada: Process) -> None:
    case.tries("the task that listens is cancelled, once while it waits and once in a pause.")
    for is_broken in (False, True):
        task = ada.listening if ada.listening and not is_broken else ada.listen()
        await turns()
        if is_broken:
            ada.broker.cut()
            await turns()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await until(task.done, 0.5)
        if not task.done():
            expected = "it ends"
            case.refuse(SWALLOWED, expected, "it goes on")


def _few(texts: list[str]) -> str:
    return shown(texts if len(texts) < 9 else [*texts[:8], "..."])


def _blocking_pause(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="time"), attr="sleep")):
                return True
            case ast.ImportFrom(module="time", names=names):
                if any(each.name == "sleep" for each in names):
                    return True
    return False
