"""Who had the event loop, and when: a film of it, measured while it happens.

    with film() as f:
        await asyncio.gather(fetch("ada"), fetch("grace"), fetch("alan"))
    f

All that a loop does is to run one step after another, and every step of an asyncio loop goes
through `asyncio.Handle._run`. While a film is running, that method also looks at the clock and
at the step's lane, see `lanes`. So callbacks, coroutines and greenlets look alike to it.
"""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote

from tornado.escape import json_decode, to_unicode
from tornado.httpclient import HTTPError, HTTPResponse
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.simple_httpclient import HTTPTimeoutError, SimpleAsyncHTTPClient
from tornado.web import Application

from .lanes import LANE, Lane, name_of
from .picture import Row, as_image, draw

HEARTBEAT = 0.025
MOST_NAMES = 8
# What may stand in an address as it is; "%" is there for what was quoted before.
URL = "/?&=%:+,;@!$'()*~[]"

# After an answer Tornado looks at how the writing went, and twice at how the handler ended, in
# steps of some microseconds, which would look as if the handler went on.
TIDYING_STEPS = 3
TIDYING = 0.001

# Tornado's client gives this status to a request that got no answer.
NO_ANSWER = 599


class Step(NamedTuple):
    """One step of the loop: the lane, if it has one, and seconds since the film began."""

    lane: str | None
    start: float
    end: float


class Answer(NamedTuple):
    """What a visitor got: the status, and the body, as data if it was JSON."""

    status: int
    body: Any


@dataclass
class _Visit:
    """What the film saw of one lane; times are those of `time.perf_counter`."""

    name: str
    asked: float | None = None
    answered: float | None = None
    lane: Lane | None = None
    steps: list[tuple[float, float]] = field(default_factory=list)

    @property
    def first_seen(self) -> float:
        times = [start for start, _ in self.steps[:1]]
        return min(times if self.asked is None else [self.asked, *times])

    def under_way(self, now: float) -> tuple[float, float] | None:
        """Return from when to when the handler was under way, if it ever was."""
        if self.lane is None:
            return None
        start, end = self.steps[0][0], self.steps[-1][1]
        if self.lane.finished is not None:
            end = min(self.lane.finished, now)
        elif self.lane.is_request:
            end = now
        return start, max(start, end)

    def waited(self, now: float) -> tuple[float, float]:
        """Return from when to when somebody waited for it.

        The wait ends when the answer leaves: a visitor on the same loop only learns of it when
        the loop is free again, and visitors elsewhere do not have that trouble.
        """
        handled = self.under_way(now)
        if self.lane and self.lane.finished is not None:
            end = self.lane.finished
        elif self.answered is not None:
            end = self.answered
        elif handled and self.asked is None:
            end = handled[1]
        else:
            end = now
        return self.first_seen, min(end, now)

    def bars(self) -> list[tuple[float, float]]:
        """Return the steps to draw: all but those that tidy up after an answer."""
        finished = self.lane.finished if self.lane else None
        if finished is None:
            return self.steps
        late = [(start, end) for start, end in self.steps if start > finished]
        tidying = [(start, end) for start, end in late if end - start < TIDYING]
        return [step for step in self.steps if step not in tidying[:TIDYING_STEPS]]


class Film:
    """What `film` recorded.

    In a notebook it shows itself as a picture. As text it says only what the experiment fixes,
    whatever the speed of the machine: `str(f)` is the same in every run.

    Attributes:
        red: a step longer than this holds the loop, in seconds.
        answers: what the visitors got, in the order of the visits, if `watch` made the film.
    """

    def __init__(self, red: float = 0.25) -> None:
        """Begin an empty film; `film` fills it."""
        self.red = red
        self.answers: list[Answer] = []
        self._began = time.perf_counter()
        self._ended: float | None = None
        self._steps: list[tuple[Lane | None, float, float]] = []
        self._beats: list[float] = []
        self._asked: dict[str, _Visit] = {}
        self._asked_as: Counter[str] = Counter()

    def asked(self, lane: str) -> str:
        """Note that a visitor sends a request now.

        Args:
            lane: the lane in which the request will be handled.

        Returns:
            What the film calls it, for `answered`: the second to ask as "ada" is "ada 2".
        """
        self._asked_as[lane] += 1
        name = _numbered(lane, self._asked_as[lane])
        self._asked[name] = _Visit(name, asked=time.perf_counter())
        return name

    def answered(self, lane: str) -> None:
        """Note that a visitor has its answer now.

        Args:
            lane: what `asked` returned.

        Raises:
            KeyError: nobody asked in this lane.
        """
        self._asked[lane].answered = time.perf_counter()

    @property
    def steps(self) -> list[Step]:
        """Every step of the loop that began and ended while the film was running."""
        names = {visit.lane: visit.name for visit in self._visits() if visit.lane}
        return [
            Step(names.get(lane) if lane else None, start - self._began, end - self._began)
            for lane, start, end in self._steps
        ]

    @property
    def lanes(self) -> list[str]:
        """The lanes, in the order in which they asked, or were seen first."""
        return [visit.name for visit in self._visits()]

    @property
    def together(self) -> int:
        """The largest number of lanes whose handlers were under way at once."""
        changes: list[tuple[float, int]] = []
        for visit in self._visits():
            if span := visit.under_way(self._now()):
                changes += [(span[0], 1), (span[1], -1)]
        most = count = 0
        for _, change in sorted(changes):
            count += change
            most = max(most, count)
        return most

    @property
    def held(self) -> list[str]:
        """The lanes that had the thread for longer than `red` in one step, as it happened."""
        long = (step.lane for step in self.steps if step.end - step.start > self.red)
        return list(dict.fromkeys(lane for lane in long if lane))

    def __str__(self) -> str:
        """Return what the experiment fixes, in words."""
        lanes, held, together = self.lanes, self.held, self.together
        if not lanes:
            return "Nobody asked for anything."
        if together == 0:
            how = "nobody was served"
        elif len(lanes) == 1:
            how = "alone"
        elif together == 1:
            how = "one after another"
        else:
            how = f"{together} at once"
        if not held:
            holders = "Nobody"
        elif len(held) == len(lanes) > MOST_NAMES:
            holders = "Each of them"
        else:
            holders = _listing(held) + (" each" if len(held) > 1 else "")
        return f"{_listing(lanes)}: {how}. {holders} held the loop."

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_image(self.svg(), str(self))

    def svg(self) -> str:
        """Draw the film, see `picture.draw`."""
        now, began = self._now(), self._began

        def since(span: tuple[float, float]) -> tuple[float, float]:
            return span[0] - began, span[1] - began

        rows = [
            Row(visit.name, [since(bar) for bar in visit.bars()], since(visit.waited(now)))
            for visit in self._visits()
        ]
        others = [
            (step.start, step.end)
            for step in self.steps
            if step.lane is None and step.end - step.start > self.red
        ]
        title = str(self)
        if others:
            # Not in the text: other work may be slow where the machine is.
            title = title.replace("Nobody held", "Only other work held")
            rows.append(Row("other work", others))
        beats = [beat - began for beat in self._beats]
        return draw(rows, beats, now - began, red=self.red, title=title)

    def _now(self) -> float:
        return time.perf_counter() if self._ended is None else self._ended

    def _visits(self) -> list[_Visit]:
        """Return what was seen of each lane, in the order of the first sight."""
        visits = {
            name: _Visit(name, visit.asked, visit.answered)
            for name, visit in self._asked.items()
        }
        named: dict[Lane, _Visit] = {}
        seen: Counter[str] = Counter()
        for lane, start, end in self._steps:
            if lane is None:
                continue
            if lane not in named:
                # What is left to tidy up after an answer of before the film is no visit.
                if lane.finished is not None and lane.finished < self._began:
                    continue
                seen[lane.name] += 1
                name = _numbered(lane.name, seen[lane.name])
                named[lane] = visits.setdefault(name, _Visit(name))
                named[lane].lane = lane
            named[lane].steps.append((start, end))
        return sorted(visits.values(), key=lambda visit: visit.first_seen)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name} {number}"


def _listing(names: Sequence[str]) -> str:
    if len(names) > MOST_NAMES:
        names = [*names[:3], f"{len(names) - 3} others"]
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


class _Patch:
    """`asyncio.Handle._run` with two looks at the clock, for as long as there are films."""

    def __init__(self) -> None:
        self.films: dict[asyncio.AbstractEventLoop, tuple[Film, ...]] = {}
        self.original = asyncio.Handle._run
        self.run = self._make_run()
        asyncio.Handle._run = self.run  # type: ignore[assignment,method-assign]

    def _make_run(self) -> Callable[[Any], None]:
        films, original, clock, variable = self.films, self.original, time.perf_counter, LANE

        # This runs at every step of every loop of the process, so it keeps, and does not judge.
        def _run(handle: Any) -> None:
            recording = films.get(handle._loop)
            if recording is None:
                return original(handle)
            lane = handle._context.get(variable)
            start = clock()
            try:
                return original(handle)
            finally:
                end = clock()
                for film in recording:
                    # Not the step that ended the film: it belongs to whoever makes the film.
                    if film._ended is None:
                        film._steps.append((lane, start, end))

        return _run

    def remove(self) -> None:
        # Somebody may have patched over this patch since. Then it stays where it is, and lets
        # everything through: it has no films, and will never have any again.
        if asyncio.Handle._run is self.run:
            asyncio.Handle._run = self.original  # type: ignore[method-assign]


_lock = threading.Lock()
_patch: _Patch | None = None


def _start_recording(film: Film, loop: asyncio.AbstractEventLoop) -> None:
    global _patch
    with _lock:
        if _patch is None:
            _patch = _Patch()
        _patch.films[loop] = (*_patch.films.get(loop, ()), film)


def _stop_recording(film: Film, loop: asyncio.AbstractEventLoop) -> None:
    global _patch
    with _lock:
        film._ended = time.perf_counter()
        assert _patch is not None
        left = tuple(other for other in _patch.films[loop] if other is not film)
        if left:
            _patch.films[loop] = left
            return
        del _patch.films[loop]
        if not _patch.films:
            _patch.remove()
            _patch = None


@contextmanager
def film(*, red: float = 0.25) -> Iterator[Film]:
    """Record every step that the running loop takes while the block lasts.

    The step in which the block begins, and the one in which it ends, are not in the film. In a
    film an empty turn of the loop costs a little more CPU time, and a request that only
    says hello hardly more: `benchmarks/results/film.json` has the figures.

    Args:
        red: a step longer than this holds the loop, in seconds.

    Yields:
        The film.

    Raises:
        RuntimeError: no loop is running here.
        TypeError: the loop that is running here is not asyncio's own.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "film() records a running event loop, and none is running here: "
            "use it in a coroutine or in a cell of a notebook, or let watch() bring a loop"
        ) from None
    if not isinstance(loop, asyncio.BaseEventLoop):
        raise TypeError(
            f"film() sees only asyncio's own event loops, not {type(loop).__module__}."
            f"{type(loop).__qualname__}, whose steps do not pass asyncio.Handle"
        )
    recording = Film(red)
    timer: asyncio.Handle

    def beat() -> None:
        nonlocal timer
        recording._beats.append(time.perf_counter())
        # An empty context: the heartbeat is nobody's, wherever the film was started.
        timer = loop.call_later(HEARTBEAT, beat, context=Context())

    _start_recording(recording, loop)
    timer = loop.call_soon(beat, context=Context())
    try:
        yield recording
    finally:
        timer.cancel()
        _stop_recording(recording, loop)


async def visited(
    app: Application,
    visits: Sequence[str],
    *,
    red: float = 0.25,
    patience: float = 30.0,
    script: Callable[[Film], Awaitable[object]] | None = None,
) -> Film:
    """Run an application and its visitors on the current loop, and return the film.

    Args:
        app: the application.
        visits: see `watch`.
        red: a step longer than this holds the loop, in seconds.
        patience: a visitor goes away after this time, in seconds, with status 599.
        script: what happens meanwhile, if anything does. It is given the film while that is
            being made, and awaited beside the visits.

    Returns:
        The film; its `answers` are in the order of the visits.

    Raises:
        OSError: the application could not be started.
        Exception: whatever the script raised.
    """
    # Late, since to run an application is one thing that a film can do without.
    from .running import running

    paths = [
        quote(visit, safe=URL) if visit.startswith("/") else f"/resources/?user={quote(visit)}"
        for visit in ([visits] if isinstance(visits, str) else visits)
    ]

    async def visit(client: SimpleAsyncHTTPClient, f: Film, url: str, path: str) -> Answer:
        lane = name_of(app, _request_for(path))
        name = None if lane is None else f.asked(lane)
        try:
            response = await client.fetch(
                url + path,
                raise_error=False,
                follow_redirects=False,
                connect_timeout=patience,
                request_timeout=patience,
            )
        except HTTPTimeoutError:
            return Answer(NO_ANSWER, f"No answer within {patience:g} s.")
        except (HTTPError, OSError):
            return Answer(NO_ANSWER, "The connection was lost.")
        if name is not None:
            f.answered(name)
        return Answer(response.code, _body(response))

    async with running(app) as url:
        client = SimpleAsyncHTTPClient(force_instance=True, max_clients=max(len(paths), 1))
        try:
            with film(red=red) as f:
                coming = [visit(client, f, url, path) for path in paths]
                events = [] if script is None else [script(f)]
                f.answers = (await asyncio.gather(*coming, *events))[: len(paths)]
        finally:
            client.close()
    return f


def watch(
    app: Application, visits: Sequence[str], *, red: float = 0.25, timeout: float = 30.0
) -> Film:
    """Run an application and its visitors on a loop of their own, and return the film.

    All visitors come at once, in the order given. The call blocks until the last has its
    answer, and needs no `await`: the loop runs in another thread.

    Args:
        app: the application.
        visits: a path each, such as "/resources/?user=ada", or short "ada" for that; one string
            is one visit.
        red: a step longer than this holds the loop, in seconds.
        timeout: a visitor goes away after this time, in seconds, with status 599.

    Returns:
        The film; its `answers` are in the order of the visits.

    Raises:
        OSError: the application could not be started.
    """
    from .running import on_own_loop

    return on_own_loop(functools.partial(visited, app, visits, red=red, patience=timeout))


def _request_for(path: str) -> HTTPServerRequest:
    line = RequestStartLine("GET", path, "HTTP/1.1")
    return HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": "127.0.0.1"}))


def _body(response: HTTPResponse) -> Any:
    if response.headers.get("Content-Type", "").startswith("application/json"):
        try:
            return json_decode(response.body)
        except ValueError:
            pass
    return to_unicode(response.body)
