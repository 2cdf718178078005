"""Where code stands: a line of somebody's own, and what that line called.

A thread that is busy deep inside a library got there from a line that somebody can change. That
is the innermost line that belongs neither to Python, nor to what was installed, nor to this
package and its neighbours.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import linecache
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import tornado

# Packages that may lie beside somebody's own code without being it.
NEIGHBOURS = ("loopfilm", "tornalet", "trequests")
LONGEST = 60  # letters of a call that are shown


class Point(NamedTuple):
    """One line of one function, at the moment of a look. It keeps no variables alive.

    Attributes:
        code: the function.
        line: the number of the line; 0 if there is none.
        instruction: which instruction of the function, by its offset in bytes.
        file: the file of the function; code is equal whatever its file is.
    """

    code: CodeType
    line: int
    instruction: int
    file: str = ""


class Place(NamedTuple):
    """Where code stood.

    Attributes:
        own: in somebody's own code, if any of that was there; otherwise in a library, in
            Tornado, or in Python itself.
        inner: what was innermost, if that is another place.
        caller: in the function of somebody's own with which it began, if that is another one.
    """

    own: Point
    inner: Point | None
    caller: Point | None = None

    @property
    def line(self) -> str:
        """The line, such as "server.py:12"."""
        return f"{file_name(self.own.code)}:{self.own.line}"

    @property
    def call(self) -> str:
        """What stands there, such as "time.sleep(1)"; empty if nobody has the source."""
        return source(self.own)

    @property
    def deeper(self) -> str:
        """The library's line and what it called, if there is one."""
        if self.inner is None:
            return ""
        return _in_words(self.inner)

    @property
    def began(self) -> str:
        """The line of one's own code with which it began, and what that called, if any."""
        return "" if self.caller is None else _in_words(self.caller)

    def __str__(self) -> str:
        """Return the line and the call."""
        return f"{self.line}, {self.call}" if self.call else self.line


def _in_words(point: Point) -> str:
    line = f"{file_name(point.code)}:{point.line}"
    return ", ".join(filter(None, [line, source(point)]))


def thread_at(
    thread: int, is_own: Callable[[CodeType], bool], is_end: Callable[[CodeType], bool]
) -> FrameType | None:
    """Return the innermost of somebody's own frames in which a thread stands now.

    Args:
        thread: its `threading.get_ident()`.
        is_own: says which code is somebody's own.
        is_end: says which code nobody looks behind.

    Returns:
        The frame, or `None` if there is none.
    """
    frame = sys._current_frames().get(thread)
    while frame is not None and not is_own(frame.f_code):
        frame = None if is_end(frame.f_code) else frame.f_back
    return frame


def place_of(frames: Iterable[Any]) -> Place | None:
    """Return where code stands.

    Args:
        frames: those of functions, coroutines or generators, the innermost first.
    """
    innermost: Point | None = None
    best: tuple[int, Point] | None = None
    caller: Point | None = None
    for frame in frames:
        if is_machinery(frame.f_code):
            continue
        if best is not None and best[0] == OWN:
            if frame.f_code is not best[1].code and _rank(frame.f_code) == OWN:
                caller = None if _is_made(frame) else _point(frame)
            continue
        rank = OF_PYTHON if _is_made(frame) else _rank(frame.f_code)
        if best is None or rank < best[0]:
            best = rank, _point(frame)
        innermost = innermost or best[1]
    if best is None:
        return None
    return Place(best[1], None if best[1] == innermost else innermost, caller)


def _is_made(frame: Any) -> bool:
    """Return whether a library has made code at run time, as dataclasses do."""
    name = frame.f_globals.get("__name__")
    return bool(frame.f_code.co_filename == "<string>" and name != "__main__")


def usual(places: Sequence[Place], shares: Sequence[float] = ()) -> Place:
    """Return where code stood most of the time.

    Args:
        places: where it stood, each time that somebody looked; at least one.
        shares: for how long it is taken to have stood there, each time; without it, all alike.
    """
    # By the line, since what that calls is often another function each time.
    lines, calls = defaultdict[object, float](float), defaultdict[Place, float](float)
    for place, share in zip(places, shares or [1.0] * len(places), strict=True):
        lines[place.own.file, place.own.code, place.own.line] += share
        calls[place] += share
    line = max(lines, key=lambda each: lines[each])
    return max(
        (each for each in places if (each.own.file, each.own.code, each.own.line) == line),
        key=lambda place: calls[place],
    )


def place_of_thread(thread: int) -> Place | None:
    """Return where a thread stands now, within a step of its loop.

    Args:
        thread: its `threading.get_ident()`.
    """
    return place_of(_outwards_in_step(sys._current_frames().get(thread)))


def _generator_of(awaitable: Any) -> Any:
    """Return the asynchronous generator whose next value somebody waits for."""
    if type(awaitable).__name__ not in ("async_generator_asend", "async_generator_athrow"):
        return None
    found = gc.get_referents(awaitable)
    return next((each for each in found if inspect.isasyncgen(each)), None)


def _outwards_in_step(frame: FrameType | None) -> Iterable[FrameType]:
    # Behind the step is what runs the loop, which is not what holds it. A greenlet has no
    # frame of the step.
    while frame is not None and not (
        frame.f_code.co_name == "_run" and is_machinery(frame.f_code)
    ):
        yield frame
        frame = frame.f_back


def place_of_await(coroutine: Any) -> Place | None:
    """Return what a coroutine that is suspended waits for, if it can be seen.

    Args:
        coroutine: the coroutine, or a generator that stands for one.
    """
    frames: list[Any] = []
    if inspect.iscoroutine(coroutine) and (
        inspect.getcoroutinestate(coroutine) in (inspect.CORO_CREATED, inspect.CORO_RUNNING)
    ):
        # It waits for its turn, or for a loop that runs within one of its steps.
        return None
    # A chain of coroutines can be long, and a cycle is possible only in one that is broken.
    while coroutine is not None and len(frames) < 1000:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        frame = frame or getattr(coroutine, "ag_frame", None)
        if frame is not None:
            frames.append(frame)
        coroutine = (
            getattr(coroutine, "cr_await", None)
            or getattr(coroutine, "gi_yieldfrom", None)
            or getattr(coroutine, "ag_await", None)
            or _generator_of(coroutine)
        )
    return place_of(reversed(frames))


def _point(frame: Any) -> Point:
    code = frame.f_code
    return Point(code, frame.f_lineno or 0, frame.f_lasti, code.co_filename)


# -- whose code it is --------------------------------------------------------------------------


def _folders() -> tuple[str, ...]:
    wanted = ("stdlib", "platstdlib", "purelib", "platlib")
    installed = [path for name in wanted if (path := sysconfig.get_paths().get(name))]
    return tuple({f"{Path(path).resolve().as_posix()}/" for path in installed})


INSTALLED = _folders()
BESIDE = Path(__file__).resolve().parent.parent.as_posix()
NEAR = tuple(f"{BESIDE}/{name}/" for name in NEIGHBOURS)
# What somebody has typed: at a prompt of Python or IPython, behind -c, in a docstring.
TYPED = ("<stdin>", "<string>", "<console>", "<python-input-", "<ipython-input-", "<doctest ")
# What Tornado makes of a template: whoever renders it says more than a line of this.
TEMPLATE = ".generated.py"
TORNADO = Path(tornado.__file__).resolve().parent.as_posix() + "/"
ASYNCIO = Path(asyncio.__file__).resolve().parent
LOOP_MODULES = (
    "base_events",
    "base_subprocess",
    "proactor_events",
    "selector_events",
    "sslproto",
    "unix_events",
    "windows_events",
)


def is_own(code: CodeType) -> bool:
    """Return whether code is somebody's own: no library's, and not Python's."""
    return _is_own_file(code.co_filename)


# Not by the code: that of two functions is equal also if they stand in different files.
@lru_cache(maxsize=10_000)
def _is_own_file(name: str) -> bool:
    if name.startswith("<"):
        # Not <frozen importlib>, and what libraries make at run time.
        return name.startswith(TYPED)
    path = Path(name).resolve().as_posix()
    return not (path.startswith((*INSTALLED, *NEAR)) or _is_package(path)) and (
        not path.endswith(TEMPLATE)
    )


def _is_package(path: str) -> bool:
    return "/site-packages/" in path or "/dist-packages/" in path


def is_machinery(code: CodeType) -> bool:
    """Return whether code belongs to this package, which is never what held a loop."""
    return _is_machinery_file(code.co_filename)


@lru_cache(maxsize=10_000)
def _is_machinery_file(name: str) -> bool:
    return Path(name).resolve().as_posix().startswith(NEAR[0])


OWN, OF_LIBRARY, OF_TORNADO, OF_PYTHON = range(4)


def _rank(code: CodeType) -> int:
    """Return how much the code says to somebody who looks for what to change; less is more."""
    return _rank_of_file(code.co_filename)


@lru_cache(maxsize=10_000)
def _rank_of_file(name: str) -> int:
    if _is_own_file(name):
        return OWN
    path = Path(name).resolve().as_posix()
    if path.startswith(TORNADO):
        return OF_TORNADO
    return OF_LIBRARY if _is_package(path) or path.startswith(NEAR) else OF_PYTHON


def is_of_loop(code: CodeType) -> bool:
    """Return whether code belongs to Tornado, or to the loop and its connections."""
    return _is_loop_file(code.co_filename)


@lru_cache(maxsize=10_000)
def _is_loop_file(name: str) -> bool:
    path = Path(name).resolve()
    return path.as_posix().startswith(TORNADO) or (
        path.parent == ASYNCIO and path.stem in LOOP_MODULES
    )


# -- what it is called -------------------------------------------------------------------------


def file_name(code: CodeType) -> str:
    """Return what a reader calls a file: its name, or "In[5]" for a cell of a notebook."""
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    if shell is not None:
        found = shell.compile.format_code_name(code.co_filename)
        if found is not None:
            return str(found[1])
    return Path(code.co_filename).name


def source(point: Point) -> str:
    """Return the expression at a point, in one line, if its source is at hand."""
    positions = list(point.code.co_positions())
    number = point.instruction // 2
    if 0 <= number < len(positions):
        first, last, start, end = positions[number]
    else:
        first = last = start = end = None
    text = linecache.getline(point.code.co_filename, first or point.line)
    # Before Python 3.14 the whole line waits in `async with`, later a part of it.
    is_whole = first != last or text.lstrip().startswith("async with ")
    if start is not None and end is not None and start < end and not is_whole:
        text = text.encode()[start:end].decode(errors="replace")
    text = " ".join(text.split()).removeprefix("await ")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
