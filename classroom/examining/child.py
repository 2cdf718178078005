"""The child process in which a learner's code is examined.

    python -m classroom.examining.child EXERCISE FILE

The code comes on the standard input, and the verdict goes to FILE. The process ends itself, and
all that it started, once the verdict is there, or when the code takes too long.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
from contextvars import Context
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from tornado.ioloop import IOLoop

from ..catalogue import find
from .case import YOUR_CODE, Case, Refused
from .kinds import Exercise
from .mistakes import (
    ENDLESS,
    EXITS,
    HOLDS,
    MISSING,
    RAISES,
    STOPS_THE_LOOP,
    TOO_LONG,
)
from .rendering import described, quoted
from .verdict import FAILED, Mistake, Verdict

# Seconds. A step of an event loop takes milliseconds, and more on a busy machine.
BEAT = 0.02
STUCK = 2.5
DEADLINE = 15.0
STALL = 0.5
MOST_MEMORY = 4 << 30  # bytes


class Watchdog(threading.Thread):
    """Notice when the learner's code keeps the thread, and where, and give up in the end.

    Attributes:
        stalled: whether the whole process stood still for a while, through no fault of its
            own; what was seen then proves nothing.
    """

    def __init__(self, case: Case, exercise: Exercise, file: Path) -> None:
        super().__init__(name="watchdog", daemon=True)
        self.case, self.exercise, self.file = case, exercise, file
        self.watched = threading.get_ident()
        self.began = time.monotonic()
        self.stalled = False
        self.beat()

    def beat(self) -> None:
        """Note that the thread is free."""
        self.last, self.worked = time.monotonic(), self.work()

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
        looked = time.monotonic()
        while True:
            time.sleep(BEAT)
            now = time.monotonic()
            # Nothing in this process can delay this thread for long, so if it wakes late, the
            # whole process was suspended.
            self.stalled = self.stalled or now - looked > STALL
            looked = now
            silent, worked = now - self.last, self.work() - self.worked
            late = now - self.began > DEADLINE
            where = self.where()
            if where and silent > 10 * BEAT:
                self.case.held_at = where
            # Code that computes is judged by its CPU time, since on a busy machine wall time
            # says little; wall time counts only where it uses hardly any CPU.
            works = worked > silent / 10
            if where and (worked > STUCK or (late and works)):
                self.refuse(ENDLESS, f"your code goes on and on in {where}")
            if where and silent > STUCK and not works:
                self.refuse(self.case.if_stuck or HOLDS, f"your code is stuck in {where}")
            if late:
                self.refuse(TOO_LONG, f"after {DEADLINE:g} seconds there is none")

    def where(self) -> str:
        """Return the line of the learner's code at which the thread stands, if it does.

        An import is no place to stand at: a disk may be slow.
        """
        frame: FrameType | None = sys._current_frames().get(self.watched)
        while frame and frame.f_code.co_filename != YOUR_CODE:
            if frame.f_code.co_filename.startswith("<frozen importlib"):
                return ""
            frame = frame.f_back
        return quoted(self.case.source, frame.f_lineno) if frame else ""

    def refuse(self, mistake: Mistake, got: str) -> NoReturn:
        """Refuse the answer, and end the process: its thread may never come back."""
        refused = Refused(mistake, "it comes to an end", got)
        verdict = self.case.refusal(self.exercise.name, self.exercise.hints, refused)
        verdict.stalled = self.stalled
        end(self.file, verdict)


async def have_checked(case: Case, exercise: Exercise, watchdog: Watchdog) -> None:
    """Have the checker look at the code, on this thread's loop."""
    watchdog.beat_on(asyncio.get_running_loop())
    await exercise.checker(case)


def judge(case: Case, exercise: Exercise, watchdog: Watchdog) -> Verdict:
    """Run the learner's code, and return the verdict on it."""
    try:
        case.load()
        # Not `asyncio.run`, which cancels and awaits what is left: on a loop that the learner's
        # code has stopped, that may never end, and this process ends anyway.
        asyncio.new_event_loop().run_until_complete(have_checked(case, exercise, watchdog))
    except Refused as refused:
        return case.refusal(exercise.name, exercise.hints, refused)
    except BaseException as error:
        if reason := why_it_ended(case, error):
            return case.refusal(exercise.name, exercise.hints, reason)
        # The checker itself failed, which is no verdict on the answer.
        return Verdict(exercise.name, FAILED, got=traceback.format_exc())
    return Verdict(exercise.name, "right", tried=case.tried)


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
    if "Event loop stopped" in text:
        return Refused(STOPS_THE_LOOP, "the loop goes on", "`stop` stops the loop")
    if not where and re.match(r"TypeError: \S+\(\) (missing|takes|got an unexpected)", text):
        # The call was the checker's, with the parameters that the exercise had given.
        return Refused(MISSING, "the parameters are those that the exercise gave", got)
    return Refused(RAISES, "no exception", got) if where else None


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


def end(file: Path, verdict: Verdict) -> NoReturn:
    """Leave a verdict, and end this process and those that it started."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(verdict.as_data()), encoding="utf-8")
    part.replace(file)
    # The learner's code may have replaced or closed it.
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    if sys.platform == "win32":
        # /T ends the whole tree, this process included.
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(os.getpid())], capture_output=True)
    elif os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def main() -> None:
    """Examine what comes on the standard input."""
    name, file = sys.argv[1:]
    del sys.argv[1:]
    source = sys.stdin.buffer.read().decode()
    # `input()` then raises EOFError, and does not wait.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    exercise = find(name)
    assert isinstance(exercise, Exercise)
    case = Case(source)
    case.listen()
    IOLoop.run_sync = run_sync  # type: ignore[method-assign]
    watchdog = Watchdog(case, exercise, Path(file))
    watchdog.start()
    here = os.getpid()
    verdict = judge(case, exercise, watchdog)
    # A process that the learner's code forked returns here too, and must not leave a verdict.
    if os.getpid() != here:
        os._exit(0)
    verdict.stalled = watchdog.stalled
    end(Path(file), verdict)


if __name__ == "__main__":
    main()
