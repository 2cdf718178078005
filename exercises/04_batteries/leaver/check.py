"""A chat in which somebody leaves, somebody's connection breaks, and somebody does not read."""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from tornado.iostream import StreamClosedError
from tornado.web import Application
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    WebSocketHandler,
    websocket_connect,
)

from classroom.examining.case import Case, turns, until
from classroom.examining.kinds import code_exercise
from classroom.examining.mistakes import HOLDS, MISSING, POLLS
from classroom.examining.rendering import GIVE_UP_AFTER, shown
from classroom.examining.verdict import Mistake
from loopfilm import running

NEVER_TAKEN_OUT = Mistake(
    "never_taken_out",
    "a leaver who is never taken out of the room",
    (
        "`open` puts a person into `people`. Who takes them out, if nobody says anything any "
        "more?",
        "Tornado calls `on_close` when a WebSocket has ended, however it has.",
        "`def on_close(self): self.people.discard(self)`",
    ),
)
DIES = Mistake(
    "dies_at_the_leaver",
    "a speaker who is thrown out since somebody else has left",
    (
        "A connection breaks, and `on_close` has not been called yet. What does "
        "`write_message` do, and whose connection does that end?",
        "It raises a `WebSocketClosedError`, in the `on_message` of the speaker. Catch it "
        "there.",
        "`try` around the one `write_message`, inside of the loop, and "
        "`except WebSocketClosedError`.",
    ),
)
STOPS = Mistake(
    "stops_at_the_leaver",
    "a loop that ends at the one who has left",
    (
        "One has left. What do those hear who come behind them in the loop?",
        "`try` stands around the loop, so an exception ends the loop. Put it inside.",
    ),
)
CHANGED = Mistake(
    "changed_while_walked",
    "a set that changes while a loop walks through it",
    (
        "Who changes `people` while your `for` is under way: your own code, or others who run "
        "at an `await`?",
        "Walk through a copy: `for person in list(self.people):`",
    ),
)
WAITS = Mistake(
    "waits_for_the_slow",
    "everybody waits for the one who does not read",
    (
        "When is the future done that `write_message` returns, if its reader does not read?",
        "Tornado reads the next message of a speaker when `on_message` is done with the last. "
        "So `on_message` must wait for nobody; also `gather` waits for the slowest, and "
        "`wait_for` as long as it was told to.",
        "Give the waiting to a task of its own, for each person, and keep it until it is done: "
        "`task = asyncio.create_task(tell(person, text))`, `tasks.add(task)`, "
        "`task.add_done_callback(tasks.discard)`. Or leave the `await` away.",
    ),
)
UNHEARD = Mistake(
    "unheard_error",
    "a task that fails, and nobody hears it",
    (
        "Somebody leaves while something is being sent to them. Where is the exception raised, "
        "and who catches it?",
        "It is raised at the `await`, in the task. Put the `try` there.",
    ),
)
REMOVED_TWICE = Mistake(
    "removed_twice",
    "somebody who is taken out twice",
    (
        "Your loop takes out who has left, and then `on_close` is called. What does `remove` "
        "do with somebody who is not there?",
        "It raises a `KeyError`. `discard` does not.",
    ),
)
ASYNC_METHOD = Mistake(
    "async_method",
    "an `async def` where a plain method is called",
    (
        "Tornado calls `on_close`, and awaits nothing. What does a call of an `async def` "
        "give, and what of it is run?",
        "Make it a plain `def`: to take somebody out of a set needs no `await`.",
    ),
)
NOT_THE_SPEAKER = Mistake(
    "not_the_speaker",
    "a speaker who is left out",
    (
        "Who is in the room? Everybody there hears what is said.",
        "Whoever says it hears it, too: that is how they know that it has arrived.",
    ),
)
WRONG_ONE_OUT = Mistake(
    "wrong_one_out",
    "somebody taken out who is still there",
    (
        "One has left, and another one is out of the room. Whom does your line take out?",
        "In `on_close`, `self` is the one who has left: `self.people.discard(self)`.",
    ),
)


# Seconds. By so much the timers of a clock that stands still are put off.
HOUR = 3600.0


@contextmanager
def clock_stopped() -> Iterator[None]:
    """Let no timer ring that is set while the block lasts, but for those of the checker."""
    loop: Any = asyncio.get_running_loop()
    own, call_at = asyncio.current_task(), loop.call_at

    def later(when: float, *args: Any, **settings: Any) -> asyncio.TimerHandle:
        # One that rings at once is no time-out, but a note with the loop.
        if asyncio.current_task() is not own and when > loop.time():
            when += HOUR
        handle: asyncio.TimerHandle = call_at(when, *args, **settings)
        return handle

    loop.call_at = later
    try:
        yield
    finally:
        del loop.call_at


class Person:
    """Somebody in the chat, on both sides.

    Attributes:
        heard: what they were told.
        gone: whether the server has ended their connection.
        handler: the learner's, for this person.
        stream: the server's end of their connection.
    """

    client: WebSocketClientConnection
    handler: Any
    stream: Any

    def __init__(self, name: str) -> None:
        self.name = name
        self.heard: list[object] = []
        self.gone = False
        self._unsent: list[asyncio.Future[None]] = []
        self._write: Callable[..., object] | None = None

    def hear(self, text: object) -> None:
        """Keep what came; Tornado's client says the end with `None`."""
        if text is None:
            self.gone = True
        else:
            self.heard.append(text)

    def note_writes(self, told: list[Person]) -> None:
        """Add this person to a list whenever something is sent to them."""
        write = self.stream.write

        def noting(data: bytes) -> object:
            told.append(self)
            return write(data)

        self.stream.write = noting

    def stop_reading(self) -> None:
        """From now on the connection takes nothing, as when nobody reads at its other end."""

        def write(_: bytes) -> asyncio.Future[None]:
            self._unsent.append(future := asyncio.get_running_loop().create_future())
            # As those of Tornado's own are, which nobody has to await.
            future.add_done_callback(lambda f: f.cancelled() or f.exception())
            return future

        self._write, self.stream.write = self.stream.write, write

    def read_again(self) -> None:
        """Let those go who wait for this person."""
        for future in self._unsent:
            if not future.done():
                future.set_result(None)
        if self._unsent:
            self.stream.write = self._write

    def break_off(self) -> None:
        """Have the server's end of the connection break, in this moment."""
        self.stream.close()
        for future in self._unsent:
            if not future.done():
                future.set_exception(StreamClosedError())

    def before_the_next(self, call: Callable[[], object]) -> None:
        """Call something in the moment in which this person's next message is read."""
        on_message = self.handler.on_message

        async def both(text: str) -> None:
            self.handler.on_message = on_message
            call()
            result = on_message(text)
            if isinstance(result, Awaitable):
                await result

        self.handler.on_message = both


class Room:
    """The learner's chat while it runs, and those who are in it.

    Attributes:
        inside: those who have come in, and have not left.
        told: those to whom something was sent since somebody has last spoken, in that order.
        if_silent: the mistake to name when somebody hears nothing, and nothing went wrong.
    """

    def __init__(self, case: Case, url: str, people: set[Any]) -> None:
        self.case, self.url, self.people = case, url, people
        self.inside: list[Person] = []
        self.told: list[Person] = []
        self.if_silent: Mistake | None = None

    async def enter(self, name: str) -> Person:
        """Have somebody come in."""
        expected = f"{name} comes in, and is in `people`"
        person, before = Person(name), set(self.people)
        # Refused with a 500, the client raises an error, and the log says why.
        try:
            person.client = await websocket_connect(self.url, on_message_callback=person.hear)
        except Exception as error:
            self.case.refuse_if_anything_went_wrong(expected)
            self.case.refuse(None, expected, f"her connection is refused: {error}")
        await until(lambda: len(self.people) > len(before))
        new = [each for each in self.people if each not in before]
        if len(new) != 1 or not isinstance(new[0], WebSocketHandler):
            self.case.refuse_if_anything_went_wrong(expected)
            self.case.refuse(MISSING, expected, f"there are {len(self.people)} in it")
        [person.handler] = new
        person.stream = person.handler.ws_connection.stream
        person.note_writes(self.told)
        self.inside.append(person)
        return person

    def have_another_be_first(self, name: str) -> None:
        """Let somebody change names with the next one, if they are the first of the set.

        A set has an order of its own, and `pop` takes out its first: by luck, that would be the
        right one.
        """
        [place] = [i for i, person in enumerate(self.inside) if person.name == name]
        one, other = self.inside[place : place + 2]
        if next(iter(self.people)) is one.handler:
            one.name, other.name = other.name, one.name
            self.inside[place : place + 2] = other, one

    async def said(self, speaker: Person, *texts: str, but: tuple[Person, ...] = ()) -> None:
        """Have somebody say something, and give it time to be heard by all but some."""
        listeners = [person for person in self.inside if person not in but]
        self.told.clear()
        for person in listeners:
            person.heard.clear()
        for text in texts:
            # If the server ends the connection meanwhile, `why_not` looks at that.
            if not speaker.gone:
                speaker.client.write_message(text)
        await until(
            lambda: speaker.gone or all(len(person.heard) >= len(texts) for person in listeners)
        )
        await turns()
        for person in listeners:
            if person.heard != [*texts]:
                self.why_not(speaker, person, texts)

    def why_not(self, speaker: Person, person: Person, texts: tuple[str, ...]) -> NoReturn:
        """Refuse an answer since somebody has not heard what was said."""
        case = self.case
        listing = " and ".join(f"`{text}`" for text in texts)
        expected = f"everybody in the room hears {listing}, once"
        heard = shown(person.heard) if person.heard else "nothing"
        got = f"{person.name} hears {heard}, after {GIVE_UP_AFTER:g} seconds"
        self.look_at_the_log(expected)
        case.refuse_if_anything_went_wrong(expected)
        others = [each for each in self.inside if each is not speaker]
        if not speaker.heard and all(each.heard == [*texts] for each in others):
            case.refuse(NOT_THE_SPEAKER, expected, got)
        case.refuse(self.if_silent, expected, got)

    def look_at_the_log(self, expected: str) -> None:
        """Refuse an answer for an exception that tells of a leaver."""
        gc.collect()
        for error in self.case.errors:
            mistake = None
            if error.text.startswith(WebSocketClosedError.__name__) and error.where:
                in_a_task = error.logged.startswith(("Task exc", "Future exc", "Exception in"))
                mistake = UNHEARD if in_a_task else DIES
            if error.text.startswith("RuntimeError: Set changed size"):
                mistake = CHANGED
            if error.text.startswith("KeyError"):
                mistake = REMOVED_TWICE
            if mistake:
                self.case.refuse(mistake, expected, str(error))

    async def out(self, leaver: Person) -> None:
        """See to it that somebody who has left is out of the room, and nobody else."""
        self.inside.remove(leaver)
        wanted = {person.handler for person in self.inside}
        expected = f"`people` has {len(wanted)} in it, without {leaver.name}"
        await until(lambda: self.people == wanted)
        await turns()
        self.look_at_the_log(expected)
        # Of a message that nobody awaits, Tornado itself says that nobody heard its end.
        self.case.errors[:] = [
            error
            for error in self.case.errors
            if error.where or not error.text.startswith(WebSocketClosedError.__name__)
        ]
        self.case.refuse_if_anything_went_wrong(expected)
        if missing := [each.name for each in self.inside if each.handler not in self.people]:
            self.case.refuse(WRONG_ONE_OUT, expected, f"{' and '.join(missing)} are not in it")
        if leaver.handler in self.people:
            self.case.refuse(NEVER_TAKEN_OUT, expected, f"{leaver.name} is still in it")
        if self.people != wanted:
            self.case.refuse(MISSING, expected, f"there are {len(self.people)} in it")


@code_exercise(
    (
        "Who is in `people` after somebody has left? Write `on_close` first.",
        "Then look at the loop. What if `write_message` raises a `WebSocketClosedError` for "
        "one of them; if `people` changes meanwhile; and if one of them does not read?",
        "A coroutine `tell(person, text)` awaits one `write_message` in a `try`. `on_message` "
        "starts a task of it for each person in `list(self.people)`, keeps the tasks in a set, "
        "and waits for none.",
    ),
    NEVER_TAKEN_OUT,
    DIES,
    STOPS,
    CHANGED,
    WAITS,
    UNHEARD,
    REMOVED_TWICE,
    ASYNC_METHOD,
    NOT_THE_SPEAKER,
    WRONG_ONE_OUT,
    POLLS,
    another_way=(
        "Another right way: a task for each person, which awaits `write_message` in a `try`, "
        "and which a set keeps until it is done: the loop alone does not hold it. It hears "
        "what nobody else does: that somebody left to whom something was still being sent. Of "
        "a future that nobody awaits, the log tells that with a traceback."
    ),
    known_by="create_task",
    instead=(
        "Another right way: call `write_message` in a `try`, and do not await it; it takes the "
        "text at once. But when somebody leaves to whom something is still being sent, the log "
        "has a traceback, since nobody awaits that future."
    ),
)
async def leaver(case: Case) -> None:
    """Four people talk; one leaves, one breaks off, one does not read, and one comes late."""
    case.if_stuck = HOLDS
    handler: Any = case.handler("Chat")
    if not issubclass(handler, WebSocketHandler):
        case.refuse(MISSING, "`Chat` is made from `WebSocketHandler`", "it is not")
    if inspect.iscoroutinefunction(handler.on_close):
        case.refuse(ASYNC_METHOD, "`on_close` is a plain method", "it is an `async def`")
    people: set[Any] = set()
    async with running(Application([("/socket", handler, {"people": people})])) as url:
        room = Room(case, f"{url}/socket".replace("http", "ws", 1), people)
        try:
            await _talk(room)
            await _leave(room)
            await _break_off(room)
            await _do_not_read(room)
        finally:
            # Who waits for them now would be cancelled, and the log would tell the learner.
            for person in room.inside:
                person.read_again()
            for _ in range(20):
                await turns()
    case.refuse_if_anything_went_wrong("nothing goes to the log")


async def _talk(room: Room) -> None:
    room.case.tries("Ada, Grace, Alan, Edith and Barbara come in, and Ada says `hello`.")
    for name in ("Ada", "Grace", "Alan", "Edith", "Barbara"):
        await room.enter(name)
    room.have_another_be_first("Grace")
    await room.said(room.inside[0], "hello")
    room.case.refuse_if_anything_went_wrong("everybody hears it")


async def _leave(room: Room) -> None:
    ada, grace, *_ = room.inside
    room.case.tries("Grace closes her WebSocket. Nobody says anything.")
    grace.client.close()
    await room.out(grace)
    room.case.tries("Ada says `who is left?`")
    await room.said(ada, "who is left?")


async def _break_off(room: Room) -> None:
    ada, *others = room.inside
    # The first who was told last time, whatever the order is in which the answer tells people:
    # so somebody comes behind.
    leaver = next((person for person in room.told if person is not ada), others[0])
    room.case.tries(
        f"Ada says `bye`. In the moment in which that is read, the connection of {leaver.name} "
        "breaks, and `on_close` has not been called yet."
    )
    room.if_silent = STOPS
    ada.before_the_next(leaver.break_off)
    await room.said(ada, "bye", but=(leaver,))
    await room.out(leaver)


async def _do_not_read(room: Room) -> None:
    ada, *others = room.inside
    slow = others[0]
    room.if_silent = WAITS
    room.case.tries(
        f"{slow.name} does not read any more, and the connection is full. Ada says `one` and "
        "`two`. The clock of the loop stands still meanwhile, so no time-out ends."
    )
    slow.stop_reading()
    # Who waits for the slow one, be it for a moment, waits for ever now.
    with clock_stopped():
        await room.said(ada, "one", "two", but=(slow,))
        await room.case.refuse_if_it_polls("nothing is done while nobody says anything")
        room.case.tries("Grace comes again, and Ada says `three`.")
        await room.enter("Grace")
        await room.said(ada, "three", but=(slow,))
    room.case.tries(f"The connection of {slow.name} breaks.")
    slow.break_off()
    await room.out(slow)
    await room.said(ada, "four")
