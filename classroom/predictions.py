"""What the notebooks need besides servers: predictions, source, logs, a loop to play on.

Exercises too: to import this module in a notebook brings `%%exercise`, see `exercises`.
"""

from __future__ import annotations

import ast
import inspect
import logging
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from tornado.ioloop import IOLoop

from .exercises import check as check
from .exercises import hint as hint
from .exercises import register_magic
from .exercises import solution as solution

register_magic()

Thing = ModuleType | type | Callable[..., Any]


class Prediction:
    """What somebody expects, written down before the run.

    Args:
        expected: the expected values, in order; none at all, or `...`, while there is no
            expectation yet.
    """

    def __init__(self, expected: tuple[Any, ...]) -> None:
        if len(expected) == 1 and isinstance(expected[0], list | tuple):
            expected = tuple(expected[0])
        self.expected = () if expected == (...,) else expected

    def __repr__(self) -> str:
        if not self.expected:
            return "No prediction yet: put yours in place of the dots."
        return f"You predict: {_listed(self.expected)}"

    def compare(self, found: Any) -> None:
        """Print what was found beside what was expected.

        Args:
            found: a value, or a list or tuple of them.
        """
        found = tuple(found) if isinstance(found, list | tuple) else (found,)
        if not self.expected:
            print(f"It was: {_listed(found)}")
        elif _plain(self.expected) == _plain(found or ("nothing",)):
            print(f"As you predicted: {_listed(found)}")
        else:
            print(f"You predicted: {_listed(self.expected)}\nIt was:        {_listed(found)}")


def predict(*expected: Any) -> Prediction:
    """Write a prediction down; the next cell compares it with what happens.

    Args:
        *expected: what will come out, in order. `...` stands for no prediction yet.
    """
    return Prediction(expected)


def _listed(values: tuple[Any, ...]) -> str:
    # Quotes only where the value could be taken for none, or for two.
    words = (repr(v) if v == "" or "," in str(v) else str(v) for v in values)
    return ", ".join(words) or "nothing"


def _plain(values: tuple[Any, ...]) -> list[object]:
    """Return what counts in a comparison: numbers as such, words without case and full stop."""
    plain: list[object] = []
    for value in values:
        word = str(value).strip().rstrip(".?").lower()
        try:
            plain.append(float(word))
        except ValueError:
            plain.append(word)
    return plain


class Source:
    """The source code of something, as it stands in its file."""

    def __init__(self, thing: Thing) -> None:
        self.text = textwrap.dedent(inspect.getsource(thing)).strip()

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.text}\n```"


def show(thing: Thing) -> Source:
    """Show the source code of a module, a class or a function of the package.

    Args:
        thing: the module, class or function.

    Raises:
        OSError: there is no file to read it from.
    """
    return Source(thing)


def count_lines(thing: Thing) -> int:
    """Count the lines of code in something, without docstrings, comments and empty lines."""
    tree = ast.parse(Source(thing).text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]):
            body[0] = ast.Pass()
    return sum(line.strip() not in ("", "pass") for line in ast.unparse(tree).splitlines())


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@contextmanager
def logs() -> Iterator[list[str]]:
    """Keep what Tornado and asyncio log while the block runs, instead of printing it.

    Yields:
        The lines, one for each message; an exception is told by its name and message.
    """
    lines: list[str] = []
    keeper = _Keeper(lines)
    loggers = [logging.getLogger(name) for name in ("tornado", "asyncio")]
    before = [(logger.propagate, logger.handlers[:]) for logger in loggers]
    for logger in loggers:
        # A kernel prints Tornado's log with a handler on Tornado's own logger.
        logger.handlers[:] = [keeper]
        logger.propagate = False
    try:
        yield lines
    finally:
        for logger, (propagate, handlers) in zip(loggers, before, strict=True):
            logger.handlers[:] = handlers
            logger.propagate = propagate


class _Keeper(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        # One line for each request is no news, and it holds a time.
        if record.name == "tornado.access":
            return
        line = record.getMessage().partition("\n")[0]
        if record.exc_info and record.exc_info[0]:
            # The message alone would name objects by their addresses in memory.
            what = str(record.msg).partition("\n")[0].partition(" %")[0]
            line = f"{what}: {record.exc_info[0].__name__}: {record.exc_info[1]}"
        self.lines.append(line)


def on_a_loop(script: Callable[[], object], *, seconds: float = 10.0) -> None:
    """Run a plain function on a new event loop, and the loop until `IOLoop.stop` is called.

    It runs on a thread of its own: a loop already runs on the thread of a notebook.

    Args:
        script: called on the loop; it leaves callbacks and timers behind.
        seconds: stop the loop after this long, whatever happens.

    Raises:
        Exception: whatever the script itself raised. Its callbacks' exceptions go to the log.
        TimeoutError: nothing stopped the loop in time.
    """
    loops: list[IOLoop] = []

    def play() -> None:
        loop = IOLoop(make_current=True)
        loops.append(loop)
        errors: list[Exception] = []

        def first() -> None:
            try:
                script()
            except Exception as error:
                errors.append(error)
                loop.stop()

        def too_long() -> None:
            errors.append(TimeoutError(f"nothing stopped the loop within {seconds:g} seconds"))
            loop.stop()

        loop.add_callback(first)
        loop.call_later(seconds, too_long)
        loop.start()
        loop.close()
        if errors:
            raise errors[0]

    with ThreadPoolExecutor(1, "a loop") as threads:
        try:
            threads.submit(play).result()
        except KeyboardInterrupt:
            # Or whoever interrupts a cell would have to wait for the end of the script.
            for loop in loops:
                loop.add_callback(loop.stop)
            raise


def in_a_process(script: str, *, seconds: float = 60.0) -> str:
    """Run a script in a Python process of its own, and return what it printed.

    Args:
        script: the source code.
        seconds: end the process after this long.

    Returns:
        What it printed, without the last line's end.

    Raises:
        subprocess.CalledProcessError: it failed; what it said is printed.
        subprocess.TimeoutExpired: it took too long.
    """
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
    )
    if done.returncode:
        print(done.stdout, end="")
    done.check_returncode()
    return done.stdout.strip()
