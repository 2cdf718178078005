"""One loop that is being filmed: its steps, whose they are, and what came between them."""

from __future__ import annotations

import asyncio
import inspect
import re
import sys
import threading
import time
import weakref
from contextlib import suppress
from contextvars import Context
from types import FrameType
from typing import Any, NamedTuple

from tornado.web import RequestHandler

from .lanes import LANE, Kind, Lane, in_lane
from .processor import UNKNOWN, Processor, Scheduled
from .record import Long, Record, Wait
from .where import Place, is_machinery, is_of_loop, is_own, place_of_await

# Seconds. How old may be what the system has said of the processor, which costs a microsecond.
FRESH = 0.01
# Seconds. Of a shorter pause nobody asks what it waited for.
LONG_WAIT = 0.02
# Of more tasks than these, those that are done are forgotten.
MANY = 1000
# What asyncio calls a task that nobody gave a name.
# (Python 3.13.0 says "None" where there is a task factory.)
NAMELESS = re.compile(r"Task-\d+|None")
EXECUTE = RequestHandler._execute.__code__
WAIT_FOR = asyncio.wait_for.__code__


class Looks(NamedTuple):
    """What was seen of a step, by all who have looked while it lasted.

    Attributes:
        since: of which part of it, by when that began.
        places: where it stood each time.
        shares: for how many seconds nobody had looked by then.
        asleep: for how many seconds, at least, its thread was asleep.
        fell_asleep: when the thread was last seen asleep, and for how long it had run by then;
            `None` if it was not asleep at the last look.
    """

    since: float = 0.0
    places: tuple[Place, ...] = ()
    shares: tuple[float, ...] = ()
    asleep: float = 0.0
    fell_asleep: tuple[float, float] | None = None


class Step:
    """A step, or a part of one, that is going on.

    Attributes:
        lane: whose it is.
        began: when it began.
        scheduled: what the processor had said by then.
        handle: what the loop runs; `None` for a part of a step.
        is_handler: of a part of a step, whether it is one of a request's handler itself.
        since: when the part of it began that is still to be noted.
        looks: what was seen of it, or of a part of it.
    """

    __slots__ = ("began", "handle", "is_handler", "lane", "looks", "scheduled", "since")

    def __init__(
        self, lane: Lane | None, began: float, scheduled: Scheduled, handle: Any
    ) -> None:
        self.lane = lane
        self.began = self.since = began
        self.scheduled = scheduled
        self.handle = handle
        self.is_handler = True
        self.looks = Looks()


class FilmedLoop:
    """A loop that is being filmed.

    Attributes:
        loop: it.
        thread: the thread that it runs in.
        records: those of the films that are being made of it.
        red: a step longer than this is long for one of them, in seconds.
        step: the step that goes on, or the innermost part of it.
        outermost: what `step` is, unless it is a part of something.
        scheduled: what the system said last of the thread and its processor.
        asked_at: when that was.
        strangers: tasks of requests that came before anybody could label them, each with its
            lane; and other tasks that have no lane in their context.
        names_all: whether tasks in a context of somebody else's are among these.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.thread = threading.get_ident()
        self.records: tuple[Record, ...] = ()
        self.red = 0.0
        self.step: Step | None = None
        # One for all, since each takes place of the one before.
        self.outermost = Step(None, 0.0, UNKNOWN, None)
        self.strangers: dict[asyncio.Future[Any], Lane] = {}
        self.names_all = False
        # Weak, since whoever awaits a task, or has forgotten it, decides how long it lives.
        self._tasks: dict[Lane, weakref.ref[asyncio.Task[Any]]] = {}
        self._many = MANY
        self._processor = Processor()
        self.scheduled, self.asked_at = UNKNOWN, 0.0
        self._before = vars(loop).get("create_task")
        self._create_task = loop.create_task
        loop.create_task = self.create_task  # type: ignore[method-assign]

    def add(self, record: Record) -> None:
        """Write down all steps from now on, also here."""
        self.records = (*self.records, record)
        self.red = min(each.red for each in self.records)

    def remove(self, record: Record) -> None:
        """Write down no more here."""
        now = record.ended = time.perf_counter()
        self._name_all()
        for lane, task in self._known_tasks():
            if not task.done() and now - lane.idle_since > LONG_WAIT:
                place = place_of_await(task.get_coro())
                record.note_wait(Wait(lane, lane.idle_since, now, place))
        self.records = tuple(other for other in self.records if other is not record)
        if self.records:
            self.red = min(each.red for each in self.records)

    def close(self) -> None:
        """Leave the loop as it was."""
        # Somebody else may have replaced the method since, and may call ours.
        if vars(self.loop).get("create_task") == self.create_task:
            del self.loop.create_task
            if self._before is not None:
                self.loop.create_task = self._before  # type: ignore[method-assign]
        self._processor.close()
        self.outermost.handle = None
        self._tasks.clear()
        self.strangers.clear()

    # -- steps ---------------------------------------------------------------------------------

    def begin(self, lane: Lane | None, now: float, handle: Any = None) -> Step:
        """Note that a step begins, or a part of one.

        Args:
            lane: whose it is.
            now: when that is.
            handle: what the loop runs; `None` for a part of a step.

        Returns:
            The step; whoever calls this has to put what went on before back into `step`.
        """
        if now - self.asked_at > FRESH:
            self.ask(now)
        step = self.step = Step(lane, now, self.scheduled, handle)
        return step

    def thread_now(self) -> int:
        """Return the thread that the loop runs in; it may be another one each time it runs."""
        return getattr(self.loop, "_thread_id", None) or self.thread

    def asleep(self) -> float | None:
        """Return for how long the loop's thread had run when it fell asleep, if it sleeps."""
        # Of a loop that has moved to another thread nobody asks until its next step.
        return self._processor.asleep() if self.thread_now() == self.thread else None

    def ask(self, now: float) -> None:
        """Ask the system for how long there was no processor until now."""
        if self.thread != threading.get_ident():
            self._processor.close()
            self.thread, self._processor = threading.get_ident(), Processor()
        self.scheduled, self.asked_at = self._scheduled_at(now), now

    def _scheduled_at(self, moment: float) -> Scheduled:
        """Return what the system had counted at a moment that has just passed."""
        said = self._processor.scheduled()
        if said is UNKNOWN or self.thread != threading.get_ident():
            return said
        # If any time has passed since then, this thread stood in line for it.
        return said._replace(lacked=said.lacked - (time.perf_counter() - moment))

    def end_of_part(self, step: Step, outer: Step | None, now: float) -> None:
        """Note that a part of a step has ended, and go on with what was around it."""
        if outer is not None:
            self.note(outer, step.began, step.scheduled)
            outer.since = now
        self.note(step, now)
        if outer is not None:
            self.ask(now)
            outer.scheduled = self.scheduled

    def note(self, step: Step, end: float, scheduled: Scheduled | None = None) -> None:
        """Write down what a step did since it was last noted."""
        lane, start = step.lane, step.since
        long = None
        if end - start > self.red:
            is_handler = self._is_handlers(step)
            long = self._what_is_known(step, end, scheduled)._replace(is_handler=is_handler)
        # Without a film that this step has ended, or begun: it is part of making that.
        for record in self.records:
            if start >= record.began:
                record.note(lane, start, end, long)
        if lane is not None:
            lane.idle_since = end

    def note_unfinished(self, record: Record) -> None:
        """Write down the step that goes on in another thread, if it lasts already."""
        step, now = self.step, time.perf_counter()
        if step is None or self.thread == threading.get_ident():
            return
        if now - step.since > record.red:
            record.note(step.lane, step.since, now, self._what_is_known(step, now))

    def _what_is_known(
        self, step: Step, end: float, scheduled: Scheduled | None = None
    ) -> Long:
        """Return what is known of a step that lasted until `end`."""
        scheduled = scheduled or self._scheduled_at(end)
        looks = step.looks if step.looks.since == step.since else Looks()
        span = end - step.since
        lacked, slept = scheduled.since(step.scheduled, span, looks.asleep)
        return Long(lacked, looks.places, slept=slept, shares=looks.shares)

    def _is_handlers(self, step: Step) -> bool:
        """Return whether a step is one of a request's handler, and not of what that started."""
        if step.handle is None:
            return step.is_handler
        task = getattr(step.handle._callback, "__self__", None)
        if not isinstance(task, asyncio.Task) and step.lane is not None:
            # A generator, a greenlet or a callback for which the handler still waits.
            task = self._task_of(step.lane)
            return task is not None and not task.done() and _is_handler(task)
        return _is_handler(task)

    # -- lanes ---------------------------------------------------------------------------------

    def lane_of_stranger(self, handle: Any) -> Lane | None:
        """Return the lane of a task that has none in its context, if it is one of these."""
        task = getattr(handle._callback, "__self__", None)
        if not isinstance(task, asyncio.Task):
            return None
        lane = self.strangers.get(task)
        if lane is not None and lane.kind is Kind.REQUEST:
            del self.strangers[task]
            # It cannot be entered a second time, if a loop runs within one of its steps.
            with suppress(RuntimeError):
                handle._context.run(LANE.set, lane)
        return lane

    def note_wait(self, lane: Lane, handle: Any, now: float) -> None:
        """Note what a lane has waited for until now, or that this is its first step."""
        task = getattr(handle._callback, "__self__", None)
        # What comes first may be a timer, a socket, or a library's own task: whoever waits for
        # that says more.
        tasks: list[asyncio.Task[Any]] = []
        if isinstance(task, asyncio.Task):
            tasks.append(task)
            self._remember(lane, task)
        first = self._task_of(lane)
        if first is not None and not first.done() and first is not task:
            tasks.append(first)
        is_task = lane.kind in (Kind.TASK, Kind.NAMED_TASK)
        is_over = lane in self._tasks and (first is None or first.done())
        if is_task and lane.finished is None and is_over:
            # What comes now is left of it, such as the end of its connections.
            lane.finished = lane.idle_since
        if lane.idle_since and (tasks or lane.finished is None):
            places = [place_of_await(each.get_coro()) for each in tasks]
            own = [place for place in places if place and is_own(place.own.code)]
            place = next(iter([*own, *places]), None)
            wait = Wait(lane, lane.idle_since, now, place)
            for record in self.records:
                record.note_wait(wait)
        if lane.kind is Kind.TASK and first is not None:
            # Some are named when they have begun.
            name_after(lane, first)

    def _remember(self, lane: Lane, task: asyncio.Task[Any]) -> None:
        if len(self._tasks) > self._many:
            self._name_all()
            at_work = [(k, each) for k, each in self._known_tasks() if not each.done()]
            self._tasks = {k: weakref.ref(each) for k, each in at_work}
            self._many = max(MANY, 2 * len(self._tasks))
        self._tasks.setdefault(lane, weakref.ref(task))

    def _task_of(self, lane: Lane) -> asyncio.Task[Any] | None:
        known = self._tasks.get(lane)
        return None if known is None else known()

    def _known_tasks(self) -> list[tuple[Lane, asyncio.Task[Any]]]:
        return [(lane, task) for lane, ref in list(self._tasks.items()) if (task := ref())]

    def _name_all(self) -> None:
        # One that starts eagerly may have its name only after its first step, and no pause.
        for lane, task in self._known_tasks():
            if lane.kind is Kind.TASK:
                name_after(lane, task)

    # -- tasks ---------------------------------------------------------------------------------

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """Do what the loop's method does, with a lane for a task that would have none.

        A task that is started eagerly takes its first step in here.
        """
        if not self.records:
            # Somebody has wrapped the method during a film, and still calls it.
            return self._create_task(coro, **options)
        context: Context | None = options.get("context")
        lane = LANE.get() if context is None else context.get(LANE)
        if context is None and _has_own_lane(coro, lane):
            lane = Lane("", Kind.TASK)
            with in_lane(lane):
                task = self.created(lane, coro, options)
        else:
            task = self.created(lane, coro, options)
            if self.names_all and lane is None and _has_own_lane(coro, lane):
                # Its context may be that of others too, so no lane is set there.
                self.add_stranger(task)
        return task

    def add_stranger(self, task: asyncio.Task[Any]) -> None:
        """Have a task that has no lane in its context be in one of its own."""
        if len(self.strangers) > MANY:
            self.strangers = {t: lane for t, lane in self.strangers.items() if not t.done()}
        lane = self.strangers[task] = Lane("", Kind.TASK)
        name_after(lane, task)

    def created(
        self, lane: Lane | None, coro: Any, options: dict[str, Any]
    ) -> asyncio.Task[Any]:
        """Create a task, and note the step that it takes at once, if it does."""
        if sys.version_info < (3, 12) or not inspect.iscoroutine(coro):
            return self._create_task(coro, **options)
        outer = self.step
        step = self.begin(lane, time.perf_counter())
        try:
            task = self._create_task(coro, **options)
            if inspect.getcoroutinestate(coro) != inspect.CORO_CREATED:
                if lane is not None:
                    self._remember(lane, task)
                    if lane.kind is Kind.TASK:
                        name_after(lane, task, coro)
                        if sys.version_info < (3, 13):
                            # It gets its name when this has returned, and may be gone soon.
                            self.loop.call_soon(name_after, lane, task, context=Context())
                step.is_handler = getattr(coro, "cr_code", None) is EXECUTE
                self.end_of_part(step, outer, time.perf_counter())
            return task
        finally:
            self.step = outer


def name_after(lane: Lane, task: asyncio.Task[Any], coro: object = None) -> None:
    """Name a lane after its task, or after what the task runs if the task has no name.

    Args:
        lane: the lane.
        task: its task.
        coro: what the task runs. Python 3.12 crashes when it is asked for that of a task that
            was done at once.
    """
    name = task.get_name()
    if not NAMELESS.fullmatch(name):
        lane.name, lane.kind = name, Kind.NAMED_TASK
        return
    if coro is None and not task.done():
        coro = task.get_coro()
    if coro is not None:
        lane.name = getattr(coro, "__qualname__", name).rpartition("<locals>.")[2]
    elif not lane.name:
        lane.name = name


def _has_own_lane(coro: Any, lane: Lane | None) -> bool:
    """Return whether a task that is created in this lane has another one, of its own."""
    if lane is not None and lane.kind not in (Kind.TASK, Kind.NAMED_TASK):
        return False
    code = getattr(coro, "cr_code", None)
    if code is not None and not is_own(code):
        # What a library starts on somebody's behalf is theirs. What Tornado and the loop start
        # for nobody is nobody's: connections, and handlers that were left out on purpose.
        return lane is None and not is_of_loop(code) and not is_machinery(code)
    # Until Python 3.11 this creates a task, and later it does not.
    caller: FrameType | None = sys._getframe(2)
    for _ in range(3):
        if caller is not None and caller.f_code is WAIT_FOR:
            return False
        caller = caller and caller.f_back
    return True


def _is_handler(task: object) -> bool:
    """Return whether this is the task in which Tornado runs the handler of a request."""
    return isinstance(task, asyncio.Task) and (
        getattr(task.get_coro(), "cr_code", None) is EXECUTE
    )
