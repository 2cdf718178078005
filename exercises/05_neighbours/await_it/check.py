"""Calls of an old library: from a thread, at once, twice, at the same time, and for nobody."""

from __future__ import annotations

import ast
import asyncio
import concurrent.futures
import gc
import inspect
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NoReturn

from classroom.examining.case import Case, turns, until
from classroom.examining.clockwork import LONG, let_pass
from classroom.examining.evidence import YOUR_CODE
from classroom.examining.kinds import code_exercise
from classroom.examining.mistakes import (
    FALSE_FOR_NONE,
    FIXED_TIME,
    HOLDS,
    POLLS,
    SHORT_DEADLINE,
)
from classroom.examining.rendering import GIVE_UP_AFTER, described, shown
from classroom.examining.verdict import Mistake

from .mistakes import (
    AFTER_THE_CANCEL,
    CANCELS_ANSWERED,
    ERROR_LOST,
    ERROR_RETURNED,
    FILLED_TWICE,
    FOR_NOBODY,
    FROM_A_THREAD,
    LOOP_IN_A_THREAD,
    NEVER_CANCELS,
    NOT_AT_ONCE,
    ONE_AT_A_TIME,
    PROMISE_RETURNED,
    RAISED_IN_THE_CALLBACK,
    SECOND_COUNTS,
    SHARED,
    SWALLOWED,
    TASK_LEFT,
    THREAD_LEFT,
    VALUE_LOST,
)
from .old_library import Call

Script = Callable[[Call], None]
TOO_LATE = "too late"
# In seconds: longer than a thread takes for two lines.
A_WHILE = 2.0


@code_exercise(
    (
        "What can be awaited, and be filled later by somebody else? A future: "
        "`asyncio.get_running_loop().create_future()`.",
        "The callbacks fill it, through `loop.call_soon_threadsafe`, since they may be on "
        "another thread. Then `return await future`.",
        "What fills it looks first whether it is `done()`. And `except asyncio.CancelledError` "
        "around the `await` cancels the call, and raises again.",
    ),
    FROM_A_THREAD,
    LOOP_IN_A_THREAD,
    FILLED_TWICE,
    AFTER_THE_CANCEL,
    FOR_NOBODY,
    SECOND_COUNTS,
    NOT_AT_ONCE,
    NEVER_CANCELS,
    SWALLOWED,
    CANCELS_ANSWERED,
    ERROR_RETURNED,
    RAISED_IN_THE_CALLBACK,
    ERROR_LOST,
    VALUE_LOST,
    PROMISE_RETURNED,
    SHARED,
    ONE_AT_A_TIME,
    THREAD_LEFT,
    TASK_LEFT,
    FALSE_FOR_NONE,
    SHORT_DEADLINE,
    FIXED_TIME,
    POLLS,
    another_way=(
        "Another right way: an `asyncio.Queue`, into which `loop.call_soon_threadsafe` puts "
        "what comes. It takes a second answer too, so nobody has to look, and "
        "`await queue.get()` takes the first."
    ),
    known_by="Queue",
    instead=(
        "Another right way: a future, which `loop.call_soon_threadsafe` has filled if it is "
        "not `done()`. `asFuture` of a Deferred makes one too, and needs no such door, since a "
        "Deferred is called on the thread of the loop."
    ),
)
async def await_it(case: Case) -> None:
    """Somebody waits for calls that answer in every way that the task names."""
    case.if_stuck = HOLDS
    with ThreadPoolExecutor(1, "the library") as thread, knocks() as knocked:
        library = Library(case, case.function("wait_for"), thread, knocked)
        await library.answers_late()
        await library.answers_from_its_thread()
        await library.answers_at_once()
        await library.fails()
        await library.answers_twice()
        await library.answers_two()
        await library.is_cancelled()
        await library.is_left_alone()
        library.leaves_nothing()


@contextmanager
def knocks() -> Iterator[list[str]]:
    """Note who uses the loop from another thread, and not through its door."""
    loop: Any = asyncio.get_running_loop()
    own, call_soon, knocked = threading.get_ident(), loop.call_soon, list[str]()

    def noting(*args: Any, **settings: Any) -> Any:
        if threading.get_ident() != own:
            knocked.append("the loop was given something from another thread, and sleeps on")
        return call_soon(*args, **settings)

    loop.call_soon = noting
    try:
        yield knocked
    finally:
        del loop.call_soon


@contextmanager
def looks(task: asyncio.Future[Any]) -> Iterator[list[object]]:
    """Note what the learner's code sets to be woken, by a timer or a thread, while it waits."""
    loop: Any = asyncio.get_running_loop()
    call_at, run_in_executor, looked = loop.call_at, loop.run_in_executor, list[object]()

    def is_the_learners(callback: Any) -> bool:
        current = asyncio.current_task()
        code = getattr(current.get_coro() if current else None, "cr_code", None)
        code = code if current else getattr(callback, "__code__", None)
        return current is task or getattr(code, "co_filename", "") == YOUR_CODE

    def noting_timers(when: float, callback: Any, *args: Any, **settings: Any) -> Any:
        if is_the_learners(callback):
            looked.append(callback)
        return call_at(when, callback, *args, **settings)

    def noting_threads(executor: Any, function: Any, *args: Any) -> Any:
        if is_the_learners(function):
            looked.append(function)
        return run_in_executor(executor, function, *args)

    loop.call_at, loop.run_in_executor = noting_timers, noting_threads
    try:
        yield looked
    finally:
        del loop.call_at, loop.run_in_executor


class Library:
    """The library, as it behaves in each of the trials."""

    def __init__(
        self,
        case: Case,
        wait_for: Callable[[Call], Any],
        thread: ThreadPoolExecutor,
        knocked: list[str],
    ) -> None:
        self.case, self.wait_for = case, wait_for
        self.thread, self.knocked = thread, knocked
        # So the one of the library is among them.
        thread.submit(int).result()
        self.threads, self.tasks = set(threading.enumerate()), asyncio.all_tasks()

    # -- what is tried -------------------------------------------------------------------------

    async def answers_late(self) -> None:
        """Have a call answer on the thread of the loop, after a while."""
        self.case.tries("Somebody waits for a call. It does not answer yet.")
        call, task = await self.begin()
        expected = "`wait_for` waits, and others run"
        if task.done() and (call.is_asked or task.cancelled() or task.exception()):
            self.refuse_end(call, task, expected)
        if not call.is_asked:
            self.case.refuse_if_anything_went_wrong(expected)
            self.case.refuse(None, "it is given callbacks", "`add_callbacks` is not called")
        await self.case.refuse_if_it_polls(expected)
        with looks(task) as looked:
            for _ in range(2):
                let_pass()
                await asyncio.sleep(0.01)
                await turns()
            if getattr(asyncio.get_running_loop(), "_default_executor", None):
                # Threads wait by a clock that nobody can put forward.
                await until(lambda: bool(looked))
        if task.done():
            is_late = not task.cancelled() and isinstance(task.exception(), TimeoutError)
            mistake = SHORT_DEADLINE if is_late or self.has_deadline() else FIXED_TIME
            self.case.refuse(mistake, expected, f"it ends within {2 * LONG:g} seconds")
        if looked:
            self.case.refuse(POLLS, expected, "it looks again and again")
        self.case.tries("The call answers with 12, on the thread of the loop.")
        call.answer(12)
        await self.gives(call, task, 12)

    async def answers_from_its_thread(self) -> None:
        """Have calls answer on a thread of the library, also with what counts as false."""
        for value in ("tea", 0, None):
            self.case.tries(f"A call answers with {value!r}, from a thread of the library.")

            def answer(call: Call, value: object = value) -> None:
                call.answer(value)

            call, task = await self.begin()
            await self.from_its_thread(call, answer)
            await self.gives(call, task, value, FALSE_FOR_NONE if not value else None)

    async def answers_at_once(self) -> None:
        """Have a call answer before `add_callbacks` returns."""
        self.case.tries("A call answers with 12 at once, before `add_callbacks` returns.")
        call, task = await self.begin(lambda call: call.answer(12))
        await self.gives(call, task, 12, NOT_AT_ONCE)

    async def fails(self) -> None:
        """Have calls fail, on a thread and at once."""
        for at_once in (False, True):
            where = "at once" if at_once else "from a thread of the library"
            self.case.tries(f'A call fails, {where}, with `LookupError("no tea")`.')
            error = LookupError("no tea")

            def fail(call: Call, error: LookupError = error) -> None:
                call.fail(error)

            call, task = await self.begin(fail if at_once else None)
            if not at_once:
                await self.from_its_thread(call, fail)
            await self.raises(call, task, error)

    async def answers_twice(self) -> None:
        """Have calls answer twice, in every combination."""

        def one(call: Call) -> None:
            call.answer(1)

        def two(call: Call) -> None:
            call.answer(2)

        def fail(call: Call) -> None:
            call.fail(LookupError("the second one"))

        for first, second in ((one, two), (one, fail)):
            what = "answers with 2" if second is two else "fails"
            self.case.tries(f"A call answers with 1, and then {what}, from its thread.")

            def both(call: Call, first: Script = first, second: Script = second) -> None:
                first(call)
                second(call)

            call, task = await self.begin()
            await self.from_its_thread(call, both, before_the_loop=True)
            await self.gives(call, task, 1, SECOND_COUNTS)
            self.refuse_if_a_task_is_left(task)
        for second in (two, fail):
            what = "answers with 2" if second is two else "again"
            self.case.tries(
                f'A call fails with `LookupError("no tea")`, and then {what}, from its thread.'
            )
            error = LookupError("no tea")

            def fails_first(
                call: Call, error: LookupError = error, second: Script = second
            ) -> None:
                call.fail(error)
                second(call)

            call, task = await self.begin()
            await self.from_its_thread(call, fails_first, before_the_loop=True)
            await self.raises(call, task, error, SECOND_COUNTS)
            self.refuse_if_a_task_is_left(task)
        self.case.tries("A call answers with 1; when that has arrived, it answers with 2.")
        call, task = await self.begin()
        call.answer(1)
        await self.gives(call, task, 1)
        call.answer(2)
        await turns()
        self.look_at(call, "the first answer counts, and nothing goes to the log")

    async def answers_two(self) -> None:
        """Have two calls wait at once, of which the second answers first."""
        self.case.tries("Two wait at once, each for a call; the second call answers first.")
        one, task_of_one = await self.begin()
        two, task_of_two = await self.begin()
        expected = "the second has its answer, and the first waits"
        if not two.is_asked:
            self.case.refuse(ONE_AT_A_TIME, expected, "the second call is not begun")
        await self.from_its_thread(two, lambda call: call.answer(2))
        await until(lambda: task_of_one.done() or task_of_two.done())
        if task_of_one.done():
            self.look_at(two, expected)
            self.case.refuse(SHARED, expected, "the first has an answer")
        await self.gives(two, task_of_two, 2, SHARED)
        one.answer(1)
        await self.gives(one, task_of_one, 1, SHARED)

    async def is_cancelled(self) -> None:
        """Cancel whoever waits, and have the library call back all the same."""
        scripts: list[tuple[Script | None, str]] = [
            (None, ""),
            (_answer, " The library answers at that."),
            (_fail, " The library fails at that."),
        ]
        for script, when in scripts:
            self.case.tries(f"Somebody who waits for a call is cancelled.{when}")
            call, task = await self.begin()
            call.when_cancelled = script
            task.cancel()
            await until(lambda task=task: task.done())  # type: ignore[misc]
            await turns()
            expected = "`call.cancel()` is called, and the cancellation goes on"
            self.look_at(call, expected, AFTER_THE_CANCEL)
            if not task.done():
                self.case.refuse(SWALLOWED, expected, "`wait_for` goes on waiting")
            if not task.cancelled() and (error := task.exception()):
                self.case.refuse_error(error, expected)
            if not call.cancels:
                self.case.refuse(NEVER_CANCELS, expected, "`call.cancel()` is not called")
            if not task.cancelled():
                got = f"`wait_for` returns {shown(task.result())}"
                self.case.refuse(SWALLOWED, expected, got)
            self.case.tries("The library calls back late, from its thread.")
            expected = "nobody is disturbed, and nothing goes to the log"
            for each in (_answer, _fail):
                await self.from_its_thread(call, each)
                self.look_at(call, expected, AFTER_THE_CANCEL)
            self.refuse_if_a_task_is_left(task)

    async def is_left_alone(self) -> None:
        """See to it that no thread waits for a call that nobody wants."""
        self.case.tries("Some who wait are cancelled, and the library never calls back.")
        calls = []
        for _ in range(3):
            call, task = await self.begin()
            calls.append(call)
            executor: Any = getattr(asyncio.get_running_loop(), "_default_executor", None)
            if executor:
                # What no thread has begun would be cancelled too.
                await until(executor._work_queue.empty)
                await asyncio.sleep(0.02)
            task.cancel()
            await until(task.done)
        if executor:
            executor.shutdown(wait=False)
        ours = set(threading.enumerate()) - self.threads
        if not await until(lambda: not any(thread.is_alive() for thread in ours)):
            for call in calls:
                call.answer(None)
            expected = "nothing waits for the calls any more"
            self.case.refuse(THREAD_LEFT, expected, "a thread waits for one")

    def leaves_nothing(self) -> None:
        """See to it that nothing is left, also of what is complained about when it is gone."""
        gc.collect()
        expected = "nothing is left, and nothing goes to the log"
        if any(error.text.endswith(TOO_LATE) for error in self.case.errors):
            self.case.refuse(FOR_NOBODY, expected, str(self.case.errors[-1]))
        self.case.refuse_if_anything_went_wrong(expected)

    # -- how -----------------------------------------------------------------------------------

    def has_deadline(self) -> bool:
        """Return whether the learner's code says one; its own function has the name of one."""
        return self.case.uses("timeout", "timeout_at", "with_timeout") or any(
            isinstance(node, ast.Attribute) and node.attr in ("wait_for", "wait")
            for node in ast.walk(self.case.tree)
        )

    async def begin(self, at_once: Script | None = None) -> tuple[Call, asyncio.Future[Any]]:
        """Have somebody wait for a new call."""
        call = Call()
        call.at_once = at_once

        waiting = self.wait_for(call)
        if not inspect.isawaitable(waiting):
            expected = "what `wait_for` returns can be awaited"
            self.look_at(call, expected)
            self.case.refuse(None, expected, f"it is {shown(waiting)}")
        task = asyncio.ensure_future(waiting)
        await turns()
        await until(lambda: task.done() or call.is_asked)
        return call, task

    async def from_its_thread(
        self, call: Call, script: Script, *, before_the_loop: bool = False
    ) -> None:
        """Have the library do something on a thread of its own.

        Args:
            call: the call that it is done to.
            script: what is done.
            before_the_loop: hold the loop until it is done, so that nobody wakes in its middle;
                but not for ever, since the learner's callbacks may wait for the loop.
        """
        done = self.thread.submit(script, call)
        if before_the_loop:
            # By a clock that stands still while the thread stands in line for a processor.
            loop = asyncio.get_running_loop()
            end = loop.time() + A_WHILE
            while not done.done() and loop.time() < end:
                concurrent.futures.wait([done], timeout=0.01)
        await asyncio.wrap_future(done)
        await turns()

    def look_at(self, call: Call, expected: str, mistake: Mistake = FILLED_TWICE) -> None:
        """Refuse an answer for what its callbacks raised, or did to the loop."""
        if self.knocked:
            self.case.refuse(FROM_A_THREAD, expected, self.knocked[-1])
        for error in call.raised:
            got = f"the callback raises {described(error)}"
            if where := self.case.line_of(error):
                got = f"{got} ({where})"
            if type(error).__name__ in ("InvalidStateError", "QueueFull"):
                self.case.refuse(mistake, expected, got)
            if isinstance(error, RuntimeError) and "event loop" in str(error):
                self.case.refuse(LOOP_IN_A_THREAD, expected, got)
            if isinstance(error, LookupError) and str(error) in ("no tea", "the second one"):
                self.case.refuse(RAISED_IN_THE_CALLBACK, expected, got)
            if isinstance(error, NameError) and call.at_once:
                self.case.refuse(NOT_AT_ONCE, expected, got)
            self.case.refuse_error(error, expected)
        for heard in self.case.errors:
            if heard.text.startswith(("InvalidStateError", "QueueFull")):
                self.case.refuse(mistake, expected, str(heard))
        self.case.refuse_if_anything_went_wrong(expected)

    async def ended(self, call: Call, task: asyncio.Future[Any], expected: str) -> bool:
        """Wait for the end, and return whether it came."""
        await until(task.done)
        await turns()
        self.look_at(call, expected)
        return task.done()

    async def gives(
        self,
        call: Call,
        task: asyncio.Future[Any],
        value: object,
        mistake: Mistake | None = None,
    ) -> None:
        """Insist on a value."""
        expected = f"`wait_for` returns {value!r}"
        if not await self.ended(call, task, expected):
            got = f"it has not returned after {GIVE_UP_AFTER:g} seconds"
            self.case.refuse(mistake if mistake is not SECOND_COUNTS else None, expected, got)
        if task.cancelled() or task.exception() or task.result() is not value:
            self.refuse_end(call, task, expected, mistake)
        self.refuse_if_cancelled(call, expected)

    async def raises(
        self,
        call: Call,
        task: asyncio.Future[Any],
        error: BaseException,
        mistake: Mistake = ERROR_LOST,
    ) -> None:
        """Insist on an exception."""
        expected = f"`wait_for` raises {described(error)}"
        if not await self.ended(call, task, expected):
            got = f"it has not ended after {GIVE_UP_AFTER:g} seconds"
            self.case.refuse(NOT_AT_ONCE if call.at_once else ERROR_LOST, expected, got)
        raised = None if task.cancelled() else task.exception()
        if type(raised) is type(error) and raised.args == error.args:
            self.refuse_if_cancelled(call, expected)
            return
        if not task.cancelled() and not task.exception() and task.result() is error:
            self.case.refuse(ERROR_RETURNED, expected, "it returns that")
        self.refuse_end(call, task, expected, mistake)

    def refuse_if_cancelled(self, call: Call, expected: str) -> None:
        """Refuse an answer that cancels what has ended."""
        if call.cancels:
            self.case.refuse(CANCELS_ANSWERED, expected, "and it calls `call.cancel()`")

    def refuse_if_a_task_is_left(self, task: asyncio.Future[Any]) -> None:
        """Refuse an answer of which something waits on when its own task is done."""
        if asyncio.all_tasks() - self.tasks - {task}:
            expected = "nothing waits any more"
            self.case.refuse(TASK_LEFT, expected, "a task is left, which waits for ever")

    def refuse_end(
        self,
        call: Call,
        task: asyncio.Future[Any],
        expected: str,
        mistake: Mistake | None = None,
    ) -> NoReturn:
        """Refuse an answer for the way in which it ended."""
        self.look_at(call, expected)
        if task.cancelled():
            self.case.refuse(mistake, expected, "it is cancelled")
        if error := task.exception():
            if mistake is SECOND_COUNTS and isinstance(error, LookupError):
                self.case.refuse(SECOND_COUNTS, expected, f"it raises {described(error)}")
            self.case.refuse_error(error, expected)
        found = task.result()
        got = f"it returns {shown(found)}"
        if isinstance(found, asyncio.Future | concurrent.futures.Future):
            self.case.refuse(PROMISE_RETURNED, expected, got)
        if found is None and mistake is not SHARED:
            mistake = VALUE_LOST if mistake in (None, FALSE_FOR_NONE) else mistake
        self.case.refuse(mistake, expected, got)


def _answer(call: Call) -> None:
    call.answer(12)


def _fail(call: Call) -> None:
    call.fail(LookupError(TOO_LATE))
