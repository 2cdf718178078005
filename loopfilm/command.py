"""Film an application from the command line.

    python -m loopfilm server:make_app --visit '/report?user=ada' --visit /health

All visitors come at once. It says who held the event loop, and where, and draws a picture.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import inspect
import math
import os
import re
import signal
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Iterator
from http.client import responses
from pathlib import Path
from typing import Any, NoReturn

from tornado.httputil import HTTPServerConnectionDelegate

from .entries import NO_ANSWER, Answer
from .films import Film
from .finding import NotFound, find
from .recorder import film
from .served import Served, as_served, described, why_not
from .serving import CannotListen
from .totals import busy, many_short, times, totals
from .visits import LATE, visited
from .where import is_machinery, is_own

NOBODY, SOMEBODY, WRONG, UNSERVED, INTERRUPTED = 0, 1, 2, 3, 130
STATUS = """\
The visitors ask with GET, all at once, on the loop that is filmed. So their patience is counted
on that loop too: while somebody holds it they cannot see an answer that is there.

exit status: 0 if nobody held the loop, 1 if somebody did, 2 if there was no film to make,
3 if nobody held it and a visitor got no answer, or one of 400 and more, 130 after Ctrl-C
"""
HINT = (
    "Write a small module with a function without arguments that calls yours and returns the"
    " application, and name that one"
)
MOST_LINES = 40


class _Wrong(Exception):
    """There is no film to make, and this is why."""


class _Theirs(Exception):
    """Somebody's own code raised; the cause says what."""


class _Late(BaseException):
    """The time is over. It is none of the exceptions that somebody's code may catch."""


def main(argv: list[str] | None = None) -> int:
    """Film an application, and say what was seen.

    Args:
        argv: the command line, without the name of the program; that of the process if it is
            left out.

    Returns:
        The exit status: 0 if nobody held the loop, 1 if somebody did, also "other work"; 2 if
        the command line was not understood or the application could not be made or run; 3 if
        nobody held the loop, and a visitor got no answer or one of 400 and more; 130 after
        Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        # What a terminal cannot show is no reason to say nothing.
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        options = _parser().parse_args(argv)
    except SystemExit as ended:
        return int(ended.code or 0)
    # asyncio would wait for the end of the step that is going on, which may be what hangs.
    signal.signal(signal.SIGINT, _interrupt)
    try:
        f = _filmed(options)
        _write(options.picture, f.svg())
        if options.trace:
            _write(options.trace, f.trace())
    except _Wrong as wrong:
        print(f"loopfilm: {wrong}", file=sys.stderr)
        return WRONG
    except _Theirs as theirs:
        cause = theirs.__cause__
        assert cause is not None
        print("".join(_shortened(cause)), end="", file=sys.stderr)
        print(f"loopfilm: {theirs}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        return INTERRUPTED
    _say(_told(f, options))
    if f.held_at:
        return SOMEBODY
    return UNSERVED if _unserved(f) else NOBODY


def _say(lines: list[str]) -> None:
    try:
        print("\n".join(lines), flush=True)
    except BrokenPipeError:
        # Whoever reads it has read enough, as `head` does. Python would write once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


# -- the command line --------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m loopfilm",
        description=__doc__,
        epilog=STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "app",
        metavar="MODULE:NAME",
        type=_named,
        help="a module that can be imported from here, or a path to a .py file; and in it an"
        " application, or a function without arguments that makes one (it may be async)",
    )
    parser.add_argument(
        "--visit",
        action="append",
        type=_path,
        metavar="PATH",
        help="one visitor asks for this, such as '/report?user=ada'; a blank in it may be"
        " written as %%20; may be given many times (default: /)",
    )
    parser.add_argument(
        "--times",
        type=_count,
        default=1,
        metavar="N",
        help="send each visitor so many times, all at once (default: 1)",
    )
    parser.add_argument(
        "--red",
        type=_seconds,
        default=0.25,
        metavar="S",
        help="a step longer than so many seconds holds the loop (default: 0.25)",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=30.0,
        metavar="S",
        help="a visitor goes away after so many seconds, and the application must be there"
        " after so many (default: 30)",
    )
    parser.add_argument(
        "--after",
        type=_seconds,
        default=0.0,
        metavar="S",
        help="film so many seconds more when all visitors have their answers (default: 0)",
    )
    parser.add_argument(
        "--picture",
        type=_file,
        default=Path("film.svg"),
        metavar="FILE",
        help="where to draw the film, for a browser (default: film.svg)",
    )
    parser.add_argument(
        "--trace",
        type=_file,
        metavar="FILE",
        help="where to write all steps, for ui.perfetto.dev (default: nowhere)",
    )
    return parser


def _named(text: str) -> tuple[str, str]:
    module, colon, name = text.rpartition(":")
    if not colon or not module or not name:
        raise argparse.ArgumentTypeError(
            f"{text!r} does not say what to film: write a module, a colon and a name,"
            " such as server:make_app"
        )
    return module, name


def _path(text: str) -> str:
    if not text.startswith("/"):
        # The shell of Git for Windows makes of /report a path of its own.
        is_drive = re.match("[A-Za-z]:/", text) and os.environ.get("MSYSTEM")
        hint = "; write two, //report, since this shell has changed it" if is_drive else ""
        raise argparse.ArgumentTypeError(f"{text!r} is no path: a path begins with /{hint}")
    return text


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of times, from 1")
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return seconds


def _file(text: str) -> Path:
    path = Path(text)
    if not text or path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a file")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {str(path.parent)!r}")
    return path


# -- the film ----------------------------------------------------------------------------------


def _filmed(options: argparse.Namespace) -> Film:
    module, name = options.app
    try:
        with _in_time(options.timeout):
            thing = find(module, name)
    except _Late:
        raise _Wrong(
            f"{module} could not be imported in {options.timeout:g} s: what runs a server"
            ' belongs below `if __name__ == "__main__":`'
        ) from None
    except NotFound as error:
        raise _Wrong(str(error)) from None
    except SystemExit as error:
        raise _Wrong(
            f"{module} ended the program when it was imported: {_exit(error)}"
        ) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _Theirs(f"{module} could not be imported") from error
    called = ":".join(options.app)
    try:
        return asyncio.run(_film_of(thing, called, options))
    except SystemExit as error:
        raise _Wrong(f"{called} ended the program: {_exit(error)}") from None
    except (_Wrong, _Theirs, KeyboardInterrupt):
        raise
    except BaseException as error:
        # Somebody has stopped the loop, or cancelled what runs on it.
        raise _Theirs(f"{called} could not be run") from error


@contextlib.contextmanager
def _in_time(seconds: float) -> Iterator[None]:
    """Raise `_Late` if the block lasts too long, where the system can interrupt it."""
    is_main = threading.current_thread() is threading.main_thread()
    if not (is_main and hasattr(signal, "setitimer")):
        yield
        return
    before = signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)


def _late(*_: object) -> NoReturn:
    raise _Late


def _visits(options: argparse.Namespace) -> list[str]:
    return [visit for _ in range(options.times) for visit in options.visit or ["/"]]


async def _film_of(thing: object, called: str, options: argparse.Namespace) -> Film:
    try:
        with film(where=False):
            pass
    except TypeError as error:
        # Before anything is made that would have to be ended again.
        raise _Wrong(
            f"{error}. If {called.rpartition(':')[0]} installs it when it is imported, move"
            f' that below `if __name__ == "__main__":`'
        ) from None
    app = await _made(thing, called, options.timeout)
    try:
        return await visited(
            app,
            _visits(options),
            red=options.red,
            patience=options.timeout,
            after=options.after,
        )
    except CannotListen as error:
        raise _Wrong(str(error)) from None
    except Exception as error:
        raise _Theirs(f"{called} could not be run") from error


async def _made(thing: object, called: str, patience: float) -> Served:
    """Return the application that a name stands for."""
    if isinstance(thing, HTTPServerConnectionDelegate):
        return thing
    if not callable(thing):
        raise _Wrong(
            f"{called} is {described(thing)}: no application, nor a function that makes one"
        )
    if not _can_be_called(thing):
        why = why_not(thing)
        if why is None and _answers(thing):
            return as_served(thing)
        advice = f"{why[0].upper()}{why[1:]}. {HINT}" if why else HINT
        raise _Wrong(
            f"{called} cannot be called without arguments: it is {described(thing)}. {advice}"
        )
    thing = await _returned(thing, called, patience)
    why = why_not(thing)
    if why is not None:
        words = f"{called}() returned {described(thing)}, which is no application"
        raise _Wrong(f"{words}: {why}" if why else words)
    return as_served(thing)


async def _returned(function: Any, called: str, patience: float) -> object:
    try:
        with _in_time(patience):
            thing = function()
        if not inspect.isawaitable(thing):
            return thing
        making = asyncio.ensure_future(thing)
        # Not `wait_for`, which waits for the end of one that will not be cancelled.
        if not (await asyncio.wait([making], timeout=patience))[0]:
            raise _Late
        return making.result()
    except _Late:
        raise _Wrong(
            f"{called}() has not returned after {patience:g} s: it must return an application"
        ) from None
    except Exception as error:
        raise _Theirs(f"{called}() made no application") from error


def _answers(function: Any) -> bool:
    """Return whether this is a function that answers requests, which is an application."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [each.name for each in parameters if each.default is each.empty]
    # By its name, or it would be a function that makes an application of something.
    return needed[:1] == ["request"] and _can_be_called(function, None)


def _can_be_called(function: Any, *args: object) -> bool:
    try:
        inspect.signature(function).bind(*args)
    except TypeError:
        return False
    except ValueError:
        # Python does not know its arguments. One that is written in C makes things.
        return not args
    return True


def _exit(error: SystemExit) -> str:
    return f"SystemExit({error.code!r})"


def _shortened(error: BaseException) -> list[str]:
    """Return a traceback with the frames of somebody's own code, and with the innermost."""
    report = traceback.TracebackException.from_exception(error)
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    keep = [is_own(frame.f_code) for frame in frames]
    if frames:
        keep[-1] = not is_machinery(frames[-1].f_code)
    kept = [entry for entry, wanted in zip(report.stack, keep, strict=False) if wanted]
    report.stack = traceback.StackSummary.from_list(kept)
    return list(report.format(chain=False))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _Wrong(f"cannot write {path}: {error.strerror or error}") from None


# -- what is told ------------------------------------------------------------------------------


def _told(f: Film, options: argparse.Namespace) -> list[str]:
    """Return what is printed, line by line."""
    held = [total.held(options.red) for total in totals(f.held_at)]
    busy_by = [short] if (short := many_short(f, "--red ")) else []
    got: Counter[str] = Counter()
    for visit, answer in zip(_visits(options), f.answers, strict=True):
        if not 200 <= answer.status < 300:
            words = f"{answer.status} {responses.get(answer.status, '')}".strip()
            got[f"{visit}: {answer.body if answer.status == NO_ANSWER else words}"] += 1
    answers = [
        f"{said} ({times(number)})" if number > 1 else said for said, number in got.items()
    ]
    lines = [f.title(), *busy_by, *_some(held), *_some(answers)]
    if _unserved(f):
        lines.append("Not all visitors were served: this may be a film of something else.")
    elif any(_may_have_missed(f, each) for each in f.answers):
        lines.append("The loop was busy: a visitor may not have seen an answer that was there.")
    lines.append(f"The picture is in {options.picture}.")
    return [*lines, f"The trace is in {options.trace}."] if options.trace else lines


def _unserved(f: Film) -> bool:
    """Return whether a visitor got no answer, or one that says that something is wrong."""
    return any(each.status >= 400 and not _may_have_missed(f, each) for each in f.answers)


def _may_have_missed(f: Film, answer: Answer) -> bool:
    """Return whether a visitor, who is on the same loop, may not have seen the answer."""
    if answer.status != NO_ANSWER or not str(answer.body).startswith(LATE):
        return False
    time, length = busy(f)
    return time > length / 2


def _some(lines: list[str]) -> list[str]:
    """Return lines, and of many only the first."""
    if len(lines) <= MOST_LINES:
        return lines
    return [*lines[:MOST_LINES], f"and {len(lines) - MOST_LINES} more lines"]
