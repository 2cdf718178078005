"""The child process in which a learner's code is examined.

    python -m classroom.examining.child EXERCISE FILE

The code comes on the standard input, and the verdict goes to FILE. The process ends itself, and
all that it started, once the verdict is there, or when the code takes too long.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import errno
import faulthandler
import gc
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
from contextvars import Context
from pathlib import Path
from time import sleep
from types import CodeType
from typing import Any, NoReturn

from tornado.ioloop import IOLoop

from loopfilm.where import thread_at

from ..catalogue import find
from . import memory, shared_names
from .case import LEAST_HELD, WHERE, Case, Refused
from .clockwork import give_clock
from .evidence import YOUR_CODE
from .kinds import Exercise
from .mistakes import (
    CANCELS_ALL,
    ENDLESS,
    EXITS,
    FORKS,
    HOLDS,
    MEMORY,
    MISSING,
    NOT_YOURS,
    PATCHED,
    RAISES,
    REPLACED,
    STOPS_THE_LOOP,
    TOO_LONG,
    mistake_of,
)
from .own_time import OwnTime
from .rendering import described, quoted
from .verdict import FAILED, Mistake, Verdict

# Seconds, of the time that the machine gives us. A step of an event loop takes milliseconds,
# but most of what a check costs is to wake up for nothing while it waits.
BEAT = 0.05
SILENT = 0.2
STUCK = 2.5
DEADLINE = 15.0
STALL = 0.5
# Bytes. A loop that goes on and on and holds so much more than at the start is one that takes
# memory, also when its requests fail and it catches that.
MUCH = 128 << 20
# Bytes that code takes within half a second which is not to be judged before it has had its
# fill: how fast a machine hands memory out says nothing about the code.
MORE = 1 << 20
PATIENCE = 8  # beats
# What threads take beside a right answer is looked at for at most so many seconds, and until
# hardly any has come for so many beats.
LAST_LOOK = 5.0
STILL = 3
LEAST_FILES = 40
# Seconds on the clock of the loop at its start, as on a machine that has been up for a while.
# Else `timeout_at(seconds)` would do what `timeout(seconds)` does.
UP_SINCE = 1_000_000.0
WAITED_FOR = "a future that your code is given is left to whoever has promised to fill it"
ONE_PROCESS = "one process serves all"
OWN_NAMES = "Python's own names stand for what they always stand for"
# Kept, since the learner's code may replace `json.dumps`.
AS_JSON = json.JSONEncoder().encode


class Watchdog(threading.Thread):
    """Notice when the learner's code keeps the thread, and where, and give up in the end.

    Attributes:
        stalled: whether the whole process stood still for a while, through no fault of its
            own; what was seen then proves nothing.
    """

    def __init__(self, case: Case, exercise: Exercise, result: Result) -> None:
        super().__init__(name="watchdog", daemon=True)
        self.case, self.exercise, self.result = case, exercise, result
        self.watched = threading.get_ident()
        self.clock = OwnTime()
        self.thread_clock = OwnTime(threading.get_native_id())
        self.stalled = False
        self.memory_before = memory.held()
        self.taken, self.took_at = 0, 0.0
        self.seen_at = ""
        self.last, self.worked = self.thread_clock.time(), self.work()
        self.seen_work, self.not_theirs = self.worked, 0.0
        self.is_theirs = True
        self.free_at = self.clock.time()

    def beat(self) -> None:
        """Note that the thread is free."""
        now, work = self.thread_clock.time(), self.work()
        unseen = work - self.seen_work
        if not self.is_theirs:
            # Whoever worked when it was last seen has worked on.
            self.not_theirs += unseen
        held_for = now - self.last - self.not_theirs
        if held_for > LEAST_HELD > held_for - unseen:
            # On a busy machine the watchdog may sleep through all of it, and see nobody.
            self.stalled = True
        self.case.held_for = max(self.case.held_for, held_for)
        self.last, self.worked, self.not_theirs = now, work, 0.0
        self.seen_work, self.is_theirs = work, True
        self.free_at = self.clock.time()

    def beat_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Note it again and again, as long as a loop runs."""
        self.beat()
        loop.call_later(BEAT, self.beat_on, loop, context=Context())

    def work(self) -> float:
        """Return for how many seconds of a processor the thread has worked."""
        if hasattr(time, "pthread_getcpuclockid"):
            return time.clock_gettime(time.pthread_getcpuclockid(self.watched))
        return time.process_time()

    def run(self) -> None:
        """Watch, until the process ends."""
        own_clock = OwnTime(threading.get_native_id())
        looked = own_clock.time()
        while True:
            sleep(BEAT)
            try:
                # Nothing in this process can delay this thread for long, so if it wakes late,
                # and did not wait for a processor, the whole process was suspended.
                now = own_clock.time()
                self.stalled = self.stalled or now - looked > STALL
                looked = now
                self.look()
            except MemoryError:
                memory.insist(self.refuse_memory)
            except Exception:
                shared_names.put_back()
                if not shared_names.replaced(self.case.source, self.case.tree):
                    raise

    def look(self) -> None:
        """Look at what the thread does, and give up if it has done that for too long."""
        silent, worked = self.thread_clock.time() - self.last, self.work() - self.worked
        now = self.clock.time()
        late = now > DEADLINE
        self.look_whose_work_it_is()
        where = self.where()
        self.seen_at = where or self.seen_at
        taken = self.look_at_memory()
        if taken > self.taken + MORE:
            self.taken, self.took_at = taken, now
        if where and silent > SILENT:
            self.case.held_at = where
        if now - self.took_at < STALL and self.taken and not late:
            return
        # Code that computes is judged by its CPU time; other time counts only where it uses
        # hardly any CPU, since only Linux says when a thread waits for a processor.
        works = worked > silent / 10
        if where and (worked > STUCK or (late and works)):
            if taken > MUCH:
                self.refuse_memory()
            self.give_up(ENDLESS, f"your code goes on and on in {where}")
        # It may wait for another thread, or a process, which waits for a processor.
        if where and now - self.free_at > STUCK and not works:
            self.give_up(self.case.if_stuck or HOLDS, f"your code is stuck in {where}")
        if late:
            self.give_up(TOO_LONG, f"after {DEADLINE:g} seconds there is none")

    def look_whose_work_it_is(self) -> None:
        """Count the work that a library does for the learner's code, such as to make a client.

        How long that takes depends on the machine alone; a library that holds the loop waits.
        """
        work, frame = self.work(), sys._current_frames().get(self.watched)
        self.is_theirs = not frame or _is_learners(frame.f_code)
        if not self.is_theirs:
            self.not_theirs += work - self.seen_work
        self.seen_work = work

    def look_at_memory(self) -> int:
        """Return how many bytes were taken since the start; give up if these are too many."""
        taken = memory.held() - self.memory_before
        if taken > memory.MOST_HELD:
            self.refuse_memory()
        return taken

    def look_at_the_end(self) -> None:
        """Give up if too much memory was taken between two looks, or will be by a thread.

        A check may be over before a thread of the learner's code has had its fill.
        """
        taken, still, end = self.look_at_memory(), 0, self.clock.time() + LAST_LOOK
        while still < STILL and self.clock.time() < end and self.has_threads():
            sleep(BEAT)
            before, taken = taken, self.look_at_memory()
            still = 0 if taken > before + MORE else still + 1
        had_its_fill = any(error.mistake is MEMORY for error in self.case.errors)
        if had_its_fill or memory.peak() - self.memory_before > memory.MOST_HELD:
            self.refuse_memory()

    def has_threads(self) -> bool:
        """Return whether another thread than the watched one is in the learner's code."""
        return any(self.where(each) for each in sys._current_frames() if each != self.watched)

    def where(self, thread: int | None = None) -> str:
        """Return the line of the learner's code at which a thread stands, if it does.

        An import is no place to stand at: a disk may be slow.

        Args:
            thread: which; by itself the one that is watched.
        """
        frame = thread_at(thread or self.watched, is_own=_is_learners, is_end=_is_import)
        return quoted(self.case.source, frame.f_lineno) if frame else ""

    def where_it_works(self) -> str:
        """Return the line of the learner's code that works, and not one that waits for it."""
        at_first, before = self.where(), _work_of_threads()
        for _ in range(PATIENCE):
            time.sleep(BEAT)
            for thread, work in _work_of_threads().items():
                if work > before.get(thread, 0) and (where := self.where(thread)):
                    return where
        return at_first

    def give_up(self, mistake: Mistake, got: str) -> NoReturn:
        """Refuse an answer that does not come to its end."""
        for error in self.case.errors:
            # A thread that had taken all memory, and ended before anybody saw how much it was.
            if error.mistake is MEMORY:
                self.refuse(MEMORY, str(error), memory.ENOUGH)
        self.refuse(mistake, got)

    def refuse_memory(self) -> NoReturn:
        """Refuse an answer that takes more and more memory, in whichever thread."""
        where = self.where_it_works() or self.seen_at
        # The thread that took it may have ended of that meanwhile.
        ended = (error.where for error in self.case.errors if error.mistake is MEMORY)
        where = next(ended, "") or where
        got = "your code takes more and more of it" + (f" in {where}" if where else "")
        self.refuse(MEMORY, got, memory.ENOUGH)

    def refuse(
        self, mistake: Mistake, got: str, expected: str = "it comes to an end"
    ) -> NoReturn:
        """Refuse the answer, and end the process: its thread may never come back."""
        shared_names.put_back()
        refused = blamed(self.case, Refused(mistake, expected, got))
        verdict = self.case.refusal(self.exercise.name, self.exercise.hints, refused)
        verdict.stalled = self.stalled
        self.result.end(verdict)


def _is_learners(code: CodeType) -> bool:
    return code.co_filename == YOUR_CODE


def _is_import(code: CodeType) -> bool:
    return code.co_filename.startswith("<frozen importlib")


def _work_of_threads() -> dict[int, int]:
    """Return for how many nanoseconds each thread has worked, where the system tells that."""
    found = {}
    for thread in threading.enumerate():
        with contextlib.suppress(OSError, ValueError):
            said = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text()
            found[thread.ident or 0] = int(said.split()[0])
    return found


async def have_checked(case: Case, exercise: Exercise, watchdog: Watchdog) -> None:
    """Have the checker look at the code, on this thread's loop."""
    watchdog.beat_on(asyncio.get_running_loop())
    try:
        await exercise.checker(case)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task and task.cancelling():
            raise
        # The checker waits for a future that the learner's code has cancelled.
        raise Refused(NOT_YOURS, WAITED_FOR, "your code cancels it") from None
    if case.forked_at:
        raise Refused(FORKS, ONE_PROCESS, f"there are two ({case.forked_at})")
    if reason := patched(case):
        raise reason


def patched(case: Case) -> Refused | None:
    """Return why a cell is refused that has had `gevent` patch the modules of Python."""
    if not getattr(sys.modules.get("gevent.monkey"), "saved", None):
        return None
    calls = [node for node in ast.walk(case.tree) if isinstance(node, ast.Call)]
    called = next((call for call in calls if "patch" in ast.unparse(call.func)), None)
    where = f" ({quoted(case.source, called.lineno)})" if called else ""
    return Refused(PATCHED, OWN_NAMES, f"`gevent` has put its own in many places{where}")


def judge(case: Case, exercise: Exercise, watchdog: Watchdog) -> Verdict:
    """Run the learner's code, and return the verdict on it."""
    try:
        try:
            case.load()
            if reason := patched(case):
                raise reason
            loop = asyncio.new_event_loop()
            # So that timers ring in their order however slow the machine is.
            give_clock(loop, lambda: UP_SINCE + watchdog.clock.time())
            # Not `asyncio.run`, which cancels and awaits what is left: on a loop that the
            # learner's code has stopped, that may never end, and this process ends anyway.
            loop.run_until_complete(have_checked(case, exercise, watchdog))
        finally:
            # Before anything else: even to catch an exception takes names.
            shared_names.put_back()
    except Refused as refused:
        reason = memory.insist(blamed, case, refused)
        return memory.insist(case.refusal, exercise.name, exercise.hints, reason)
    except BaseException as error:
        # Code that has taken all memory may have left none for that.
        return memory.insist(verdict_after, error, case, exercise)
    if shared_names.breaks_much():
        # By luck nobody has called it yet.
        what = shared_names.replaced(case.source, case.tree)
        return case.refusal(exercise.name, exercise.hints, Refused(REPLACED, OWN_NAMES, what))
    return case.praise(exercise.name)


def verdict_after(error: BaseException, case: Case, exercise: Exercise) -> Verdict:
    """Return the verdict on an answer after an exception has come out of everything."""
    if reason := why_it_ended(case, error):
        return case.refusal(exercise.name, exercise.hints, blamed(case, reason))
    if reason := patched(case):
        return case.refusal(exercise.name, exercise.hints, reason)
    if what := shared_names.replaced(case.source, case.tree):
        reason = Refused(REPLACED, OWN_NAMES, f"{what}, and then {described(error)}")
        case.broken_by = error
        return case.refusal(exercise.name, exercise.hints, reason)
    # The checker itself failed, which is no verdict on the answer.
    text = "".join(traceback.format_exception(error))
    return Verdict(exercise.name, FAILED, got=text)


def blamed(case: Case, refused: Refused) -> Refused:
    """Return why an answer is refused: for a name that it has replaced, if that breaks much.

    A function in the place of a function may do what the old one did. It is blamed only if
    something has failed in other code than the learner's; else it is told beside the reason.
    What is replaced in other modules than `builtins` breaks less, and has mistakes of its own.
    """
    if case.forked_at:
        return Refused(FORKS, ONE_PROCESS, f"there are two ({case.forked_at})")
    if reason := patched(case):
        return reason
    # Newer versions of Python import within functions, also on the learner's behalf.
    is_late = "None in sys.modules" in refused.got
    if is_late and (what := shared_names.replaced(case.source, case.tree)):
        return Refused(REPLACED, OWN_NAMES, what)
    what = shared_names.replaced(case.source, case.tree)
    if not what:
        return refused
    fails = not all(error.where for error in case.errors)
    if shared_names.breaks_much() or (fails and shared_names.are_builtins()):
        return Refused(REPLACED, OWN_NAMES, what)
    refused.got += f"\nBesides, {what}."
    return refused


def why_it_ended(case: Case, error: BaseException) -> Refused | None:
    """Return what is to be said of an exception that came out of everything."""
    if isinstance(error, RuntimeError) and isinstance(error.__cause__, StopIteration):
        # A StopIteration that leaves a coroutine, such as the checker, becomes a RuntimeError.
        error = error.__cause__
    where = case.line_of(error)
    text = described(error)
    got = f"{text} ({where})" if where else text
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return Refused(EXITS, "the program goes on", got)
    if isinstance(error, asyncio.CancelledError):
        # Nobody cancels the checker's task but the learner's code.
        expected = "only what your code has started is cancelled"
        return Refused(CANCELS_ALL, expected, "it cancels everything, the check as well")
    if isinstance(error, MemoryError):
        return Refused(MEMORY, memory.ENOUGH, got)
    if isinstance(error, OSError) and error.errno == errno.EBADF:
        return Refused(None, "what others have opened stays open", "your code has closed it")
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        # Whoever comes after the learner's code finds none left.
        return Refused(RAISES, f"{LEAST_FILES} open files are enough", got)
    if isinstance(error, asyncio.InvalidStateError) and not where:
        return Refused(NOT_YOURS, WAITED_FOR, "your code fills it, or cancels it")
    if "Event loop stopped" in text:
        return Refused(STOPS_THE_LOOP, "the loop goes on", "`stop` stops the loop")
    if not where and re.match(r"TypeError: \S+\(\) (missing|takes|got an unexpected)", text):
        # The call was the checker's, with the parameters that the exercise had given.
        return Refused(MISSING, "the parameters are those that the exercise gave", got)
    return Refused(mistake_of(error, text, case.tree), "no exception", got) if where else None


def run_sync(self: IOLoop, *args: Any, **kwargs: Any) -> Any:
    """Fail where a loop runs already, as `IOLoop.run_sync` does, and do nothing else.

    The original then stops the loop that runs, a little later, and in some versions of Python
    that loop no longer knows that it runs.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return original_run_sync(self, *args, **kwargs)
    raise RuntimeError("This event loop is already running")


original_run_sync = IOLoop.run_sync


class Result:
    """The file in which the parent finds the verdict.

    It is open from the beginning: the learner's code may open as many as there can be. That it
    is there tells the parent that the learner's code can have begun.
    """

    def __init__(self, file: Path) -> None:
        self.file, self.part = file, file.with_suffix(".part")
        self.descriptor = os.open(self.part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self.ending = threading.Lock()

    def end(self, verdict: Verdict) -> NoReturn:
        """Leave a verdict, and end this process and those that it started.

        Whoever has a second verdict meanwhile waits here for the end.
        """
        with self.ending:
            memory.insist(self.leave, verdict)
            self.end_all()

    def end_all(self) -> NoReturn:
        """End this process and those that it started."""
        # The learner's code may have replaced or closed it.
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        if sys.platform == "win32":
            # /T ends the whole tree, this process included.
            command = ["taskkill", "/F", "/T", "/PID", str(os.getpid())]
            subprocess.run(command, capture_output=True)
        elif os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(0)

    def leave(self, verdict: Verdict) -> None:
        """Leave a verdict."""
        data = AS_JSON(verdict.as_data()).encode()
        try:
            os.lseek(self.descriptor, 0, os.SEEK_SET)
            rest = data
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]
            os.close(self.descriptor)
            self.part.replace(self.file)
        except OSError:
            # The learner's code has closed it, or taken it away, or put a folder in its place.
            shutil.rmtree(self.file, ignore_errors=True)
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.part.write_bytes(data)
            self.part.replace(self.file)


def tell_where(file: Path) -> None:
    """Have all threads' tracebacks written to a file whenever the parent asks for them.

    That also works while a call into C lets no other thread run. Windows has no such signal.
    """
    if sys.platform != "win32":
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        faulthandler.register(signal.SIGUSR1, descriptor)


def what_is_missing() -> str:
    """Set the bound on memory; return which limit leaves too little for a check."""
    try:
        memory.bound()
    except MemoryError as error:
        return str(error)
    if sys.platform != "win32":
        import resource

        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if 0 <= files < LEAST_FILES:
            return f"{files} open files are too few: a check needs {LEAST_FILES}, see ulimit -n"
    return ""


def main() -> None:
    """Examine what comes on the standard input."""
    name, file = sys.argv[1:]
    del sys.argv[1:]
    source = sys.stdin.buffer.read().decode()
    # `input()` then raises EOFError, and does not wait.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    exercise = find(name)
    assert isinstance(exercise, Exercise)
    # What was imported never becomes garbage, and to look through it takes longer than a check.
    gc.freeze()
    case = Case(source)
    case.listen()
    case.hear_forks()
    IOLoop.run_sync = run_sync  # type: ignore[method-assign]
    if too_little := what_is_missing():
        # Before there is a `Result`: this is no verdict on the answer.
        sys.exit(too_little)
    # First: from the moment that there is a `Result`, the parent may ask.
    tell_where(Path(file).with_name(WHERE))
    result = Result(Path(file))
    watchdog = Watchdog(case, exercise, result)
    watchdog.start()
    here = os.getpid()
    verdict = judge(case, exercise, watchdog)
    # A process that the learner's code forked returns here too, and must not leave a verdict.
    if os.getpid() != here:
        os._exit(0)
    # What was taken and given back between two looks of the watchdog, by a process that ended.
    watchdog.look_at_memory()
    if verdict.right:
        try:
            watchdog.look_at_the_end()
        except MemoryError:
            memory.insist(watchdog.refuse_memory)
    verdict.stalled = watchdog.stalled
    result.end(verdict)


if __name__ == "__main__":
    main()
