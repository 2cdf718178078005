"""A learner's code under examination: what a checker asks of it, and how it refuses it.

A checker is a coroutine function that is given a `Case`. It says what it `tries`, looks, and
calls `refuse` where what came out is not what was expected. One that comes to its end has
nothing to object to.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import functools
import gc
import inspect
import logging
import os
import re
import sys
import threading
import types
import warnings
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, NoReturn

from tornado.web import Application, RequestHandler

from loopfilm import Film, visited

from .clockwork import goes_round
from .evidence import YOUR_CODE, always_true, named_only
from .mistakes import (
    ALREADY_CALLED,
    ALWAYS_TRUE,
    BRACKETS,
    FORGOTTEN_AWAIT,
    GENERAL,
    HOLDS,
    MISSING,
    NESTED_LOOP,
    POLLS,
    YIELDS,
    mistake_of,
)
from .rendering import GIVE_UP_AFTER, described, quoted, shown
from .verdict import LOGGED, Mistake, Verdict

# The file in which the child leaves its tracebacks when the parent asks for them.
WHERE = "where.txt"

# Seconds. A film calls a step long that takes more than the first; of those it is one of the
# learner's, and not of a busy machine, if the thread had the second.
RED = 0.4
LEAST_HELD = 0.3

_ADDRESS = re.compile(r"https?://\w|127\.0\.0\.1|localhost")


class Refused(Exception):
    """The answer is not right, for a reason."""

    def __init__(
        self, mistake: Mistake | None, expected: str, got: str, film: Film | None = None
    ) -> None:
        """Keep the reason."""
        super().__init__(got)
        self.mistake, self.expected, self.got, self.film = mistake, expected, got, film


class Error(NamedTuple):
    """An exception that went to the log, or ended a thread.

    Attributes:
        text: the exception, as in "ValueError: no such thing".
        where: the line of the learner's code, as in "line 3: `x = int(y)`", or nothing.
        logged: what the log said of it, as in "Exception in callback".
        mistake: the mistake that it comes from, which its traceback has shown.
    """

    text: str
    where: str
    logged: str
    mistake: Mistake

    def __str__(self) -> str:
        return f"{self.text} ({self.where})" if self.where else self.text


class _Heard(logging.Logger):
    """A logger that is heard also by those who would have it silent."""

    hear: Callable[[logging.LogRecord], None]

    def isEnabledFor(self, level: int) -> bool:
        return level >= logging.WARNING or super().isEnabledFor(level)

    def handle(self, record: logging.LogRecord) -> None:
        self.hear(record)
        if super().isEnabledFor(record.levelno):
            super().handle(record)


class _Marked(logging.Formatter):
    """Marks each line of the log, which the learner's code has not printed."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(LOGGED + line for line in super().format(record).splitlines())


class Case(logging.Handler):
    """A learner's code, and what was heard of it.

    Attributes:
        tried: what the checker did, see `tries`.
        errors: the exceptions that nobody caught.
        if_stuck: the mistake to name when the loop is held for longer than we care to wait.
        held_at: the line of the learner's code that last held the thread, or nothing.
        held_for: the longest time for which it was held while the last film was made, in
            seconds, without those in which the thread waited for a processor.
        forked_at: the line of the learner's code that has made a second process of this one.
        to_show: the film of visitors at once that a right answer is shown, beside that of a
            handler that holds the loop.
        broken_by: what came of a name that was replaced. It is kept to the end, with all that
            it refers to: a loop that is half made complains when it goes.
    """

    def __init__(self, source: str) -> None:
        """Get ready to listen; `load` runs the code."""
        super().__init__(logging.WARNING)
        self.source = source
        self.tree = ast.parse("\n" + source)
        self.tried: list[str] = []
        self.errors: list[Error] = []
        self.if_stuck: Mistake | None = None
        self.held_at = ""
        self.held_for = 0.0
        self.forked_at = ""
        self.to_show: Film | None = None
        self.broken_by: BaseException | None = None
        self._module = types.ModuleType("exercise")
        self._warnings: list[str] = []

    # -- listening -----------------------------------------------------------------------------

    def listen(self) -> None:
        """Hear what goes to the log, to the warnings, and out of threads, from now on."""
        shown = logging.StreamHandler()
        shown.setFormatter(_Marked())
        # Not on the root logger: what the learner's code itself logs is no mistake.
        for name in ("asyncio", "tornado.access", "tornado.application", "tornado.general"):
            logger = logging.getLogger(name)
            logger.__class__ = _Heard
            vars(logger).update(hear=self.emit, propagate=False)
            logger.addHandler(shown)
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *_: self._warnings.append(str(message))
        threading.excepthook = self._hear_thread

    def emit(self, record: logging.LogRecord) -> None:
        """Keep an exception that went to the log."""
        if record.exc_info and record.exc_info[1]:
            logged = str(record.msg).partition("\n")[0].partition(" %")[0]
            self._hear(record.exc_info[1], logged)

    def hear_forks(self) -> None:
        """Note when the learner's code forks while a loop runs, and have that process end."""
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._note_fork, after_in_child=self._end_if_forked)

    def _note_fork(self) -> None:
        # A library that forks, such as `multiprocessing`, knows what it does.
        caller = sys._getframe(1)
        with contextlib.suppress(RuntimeError):
            if caller.f_code.co_filename == YOUR_CODE and asyncio.get_running_loop():
                self.forked_at = quoted(self.source, caller.f_lineno) or "your code"

    def _end_if_forked(self) -> None:
        if self.forked_at:
            os._exit(0)

    def _hear_thread(self, end: threading.ExceptHookArgs) -> None:
        # This one ends a thread, and nobody is told.
        if end.exc_type is not SystemExit:
            self._hear(end.exc_value, "in a thread")

    def _hear(self, error: BaseException | None, logged: str) -> None:
        if error:
            text = described(error)
            mistake = mistake_of(error, text, self.tree)
            self.errors.append(Error(text, self.line_of(error), logged, mistake))

    def never_awaited(self) -> list[str]:
        """Return the names of the coroutines that were called and never awaited."""
        gc.collect()
        found = [re.match(r"coroutine '(.+)' was never awaited", w) for w in self._warnings]
        return [match[1] for match in found if match]

    def has_coroutines_left(self) -> bool:
        """Return whether there are coroutines of the learner's of which nothing is run yet."""
        # Not `inspect.iscoroutine`: it asks each object for its class, and some raise an error.
        found = (each for each in gc.get_objects() if type(each) is types.CoroutineType)
        return any(
            each.cr_code.co_filename == YOUR_CODE
            and inspect.getcoroutinestate(each) == inspect.CORO_CREATED
            for each in found
        )

    def has_tasks_left(self) -> bool:
        """Return whether a coroutine of the learner's is under way in a task of its own."""
        coroutines = (task.get_coro() for task in asyncio.all_tasks())
        codes = (getattr(each, "cr_code", None) for each in coroutines)
        return any(code and code.co_filename == YOUR_CODE for code in codes)

    def line_of(self, error: BaseException) -> str:
        """Return the innermost line of the learner's code that an exception went through."""
        number, trace = 0, error.__traceback__
        while trace:
            if trace.tb_frame.f_code.co_filename == YOUR_CODE:
                number = trace.tb_lineno
            trace = trace.tb_next
        return quoted(self.source, number)

    # -- the learner's names -------------------------------------------------------------------

    def load(self) -> None:
        """Run the learner's cell."""
        # The empty line stands for the magic, so that line numbers are those of the cell.
        code = compile("\n" + self.source, YOUR_CODE, "exec", dont_inherit=True)
        # Some libraries look up the module of a class by its name.
        sys.modules[self._module.__name__] = self._module
        if "__name__" in self.source:
            # In a notebook, a cell is the main module.
            vars(self._module)["__name__"] = "__main__"
        exec(code, vars(self._module))

    def defined(self, name: str) -> Any:
        """Return what the learner's cell calls by this name."""
        if name not in vars(self._module):
            self.refuse(MISSING, f"your cell defines `{name}`", "there is no such name")
        return vars(self._module)[name]

    def function(self, name: str) -> Callable[..., Any]:
        """Return a function of the learner's."""
        found = self.defined(name)
        if not inspect.isfunction(found):
            self.refuse(MISSING, f"`{name}` is a function", f"it is {shown(found)}")
        self._refuse_if_generator(found, name)
        return found

    def handler(self, name: str) -> type[RequestHandler]:
        """Return a handler of the learner's."""
        found = self.defined(name)
        if not (isinstance(found, type) and issubclass(found, RequestHandler)):
            got = f"it is {shown(found)}"
            self.refuse(MISSING, f"`{name}` is a class made from `RequestHandler`", got)
        self._refuse_if_generator(found.get, "get")
        return found

    def _refuse_if_generator(self, function: Callable[..., Any], name: str) -> None:
        if inspect.isasyncgenfunction(function):
            expected = f"what `{name}` returns can be awaited"
            self.refuse(YIELDS, expected, "it is a generator, since there is a `yield` in it")

    def uses(self, *wanted: str | type[ast.AST], inside: str | type[ast.AST] = "") -> bool:
        """Return whether the learner's code has any of these in it.

        Args:
            *wanted: names, also such as stand behind a dot, and kinds of syntax.
            inside: look only inside functions of this name, or of this kind of syntax.
        """
        rooms = (
            [self.tree] if not inside else [n for n in ast.walk(self.tree) if _is(n, inside)]
        )
        nodes = [node for room in rooms for node in ast.walk(room) if node is not room]
        return any(_is(node, each) for node in nodes for each in wanted)

    def threads_of(self, handler: type[RequestHandler]) -> set[int]:
        """Return on which other threads a handler writes, or fills futures, from now on."""
        noted: set[int] = set()
        loop: Any = asyncio.get_running_loop()
        loops_own = threading.get_ident()

        def noting(original: Callable[..., Any]) -> Any:
            @functools.wraps(original)
            def note_and_call(*args: Any, **settings: Any) -> Any:
                noted.update({threading.get_ident()} - {loops_own})
                return original(*args, **settings)

            return note_and_call

        handler.write = noting(handler.write)  # type: ignore[method-assign]
        # A future that is filled has the loop call its receivers.
        loop.call_soon = noting(loop.call_soon)
        return noted

    def has_own_address(self) -> bool:
        """Return whether the learner's code has an address written down."""
        texts = [n.value for n in ast.walk(self.tree) if isinstance(n, ast.Constant)]
        return any(isinstance(text, str) and _ADDRESS.search(text) for text in texts)

    # -- trying and refusing -------------------------------------------------------------------

    def tries(self, what: str) -> None:
        """Say what is tried next, in a sentence."""
        self.tried.append(what)

    async def visits(
        self,
        app: Application,
        visits: Sequence[str],
        script: Callable[[Film], Awaitable[object]] | None = None,
        patience: float = GIVE_UP_AFTER,
    ) -> Film:
        """Have visitors come, all at once, who go away after some seconds."""
        self.held_for = 0.0
        return await visited(app, visits, red=RED, patience=patience, script=script)

    def refuse(
        self, mistake: Mistake | None, expected: str, got: str, film: Film | None = None
    ) -> NoReturn:
        """Say that the answer is not right.

        Args:
            mistake: what it looks like, if that is known.
            expected: what should have come out of the last thing tried.
            got: what did.
            film: a film that shows it, if one does.

        Raises:
            Refused: always.
        """
        # What Python itself complains of is nearer to the mistake, unless it is an empty box.
        if mistake is None or mistake.key not in GENERAL or "InvalidStateError" in got:
            if line := always_true(self.tree):
                got += f"\nIn {quoted(self.source, line)} nothing is asked."
                mistake = ALWAYS_TRUE
            elif line := named_only(self.tree):
                got += f"\nIn {quoted(self.source, line)} nothing is called."
                mistake = BRACKETS
        raise Refused(mistake, expected, got, film)

    def held(self, film: Film) -> bool:
        """Return whether the learner's code held the loop in the last film.

        A film also sees long steps of a thread that was ready, and for which the machine had no
        processor.
        """
        return bool(film.held) and self.held_for > LEAST_HELD

    def refuse_if_held(self, film: Film, mistake: Mistake, expected: str) -> None:
        """Refuse an answer that held the loop."""
        if self.held(film):
            where = f" in {self.held_at}" if self.held_at else ""
            self.refuse(mistake, expected, f"the loop was held{where}", film)

    async def refuse_if_it_polls(self, expected: str) -> None:
        """Refuse an answer that has the loop go round while all wait."""
        if await goes_round():
            self.refuse(POLLS, expected, "the loop goes round and round, and nothing has come")

    def refuse_if_anything_went_wrong(self, expected: str, film: Film | None = None) -> None:
        """Refuse an answer of which a complaint was heard, whatever the exercise is about."""
        film = film if film and self.held(film) else None
        # Most specific first: a nested loop also leaves a coroutine that was never awaited, and
        # so does who calls one; and such a coroutine leaves other exceptions.
        for error in self.errors:
            if error.mistake in (NESTED_LOOP, ALREADY_CALLED):
                self.refuse(error.mistake, expected, str(error), film)
        for name in self.never_awaited():
            got = f"`{name}` was called and never awaited"
            self.refuse(FORGOTTEN_AWAIT, expected, got, film)
        for error in self.errors:
            self.refuse(error.mistake, expected, str(error), film)

    def refuse_error(self, error: BaseException, expected: str) -> NoReturn:
        """Refuse an answer for an exception that it raised."""
        # A task group wraps the exceptions of its tasks, and of its own block.
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        text, where = described(error), self.line_of(error)
        mistake = mistake_of(error, text, self.tree)
        self.refuse(mistake, expected, f"{text} ({where})" if where else text)

    def with_error(self, got: str, among: str = "") -> str:
        """Add to what was got the last exception that was heard, if there was one.

        Args:
            got: what was got.
            among: look among those only of which the log, or the exception itself, says this.
        """
        errors = [error for error in self.errors if among in f"{error.logged}: {error.text}"]
        return f"{got}\nIn the log: {errors[-1]}" if errors else got

    def refusal(self, name: str, hints: Sequence[str], refused: Refused) -> Verdict:
        """Return the verdict on an answer that was refused.

        Args:
            name: the exercise.
            hints: those of the exercise, for a mistake that nobody recognised.
            refused: why.
        """
        mistake = refused.mistake
        return Verdict(
            name,
            "wrong",
            tried=self.tried or ["your cell is run."],
            expected=refused.expected,
            got=refused.got,
            mistake=mistake.key if mistake else "",
            looks_like=mistake.name if mistake else "",
            hints=helpful(mistake, hints),
            svg=refused.film.svg() if refused.film else "",
            alt=str(refused.film) if refused.film else "",
            beside=bool(mistake and mistake.key == HOLDS.key and not refused.film),
        )

    def praise(self, name: str) -> Verdict:
        """Return the verdict on an answer that is right.

        Args:
            name: the exercise.
        """
        film = self.to_show
        return Verdict(
            name,
            "right",
            tried=self.tried,
            svg=film.svg() if film else "",
            alt=str(film) if film else "",
            beside=bool(film),
        )


def _is(node: ast.AST, wanted: str | type[ast.AST]) -> bool:
    if isinstance(wanted, type):
        return isinstance(node, wanted)
    return wanted in (getattr(node, key, None) for key in ("id", "attr", "name"))


def helpful(mistake: Mistake | None, hints: Sequence[str]) -> list[str]:
    """Return the hints for a mistake, and those of the exercise where it may be any."""
    more = hints if mistake is None or mistake.key in GENERAL else ()
    return [*(mistake.hints if mistake else ()), *more]


async def until(condition: Callable[[], bool], seconds: float = GIVE_UP_AFTER) -> bool:
    """Wait for something to become true.

    Args:
        condition: asked now and then.
        seconds: give up after this long.

    Returns:
        Whether it did.
    """
    loop = asyncio.get_running_loop()
    waited, last = 0.0, loop.time()
    while not condition():
        if waited > seconds:
            return False
        # What comes comes soon; what has not come yet is waited for without much work.
        await asyncio.sleep(0.005 if waited < 0.1 else 0.02)
        # Time in which the process was suspended does not count.
        now = loop.time()
        waited, last = waited + min(now - last, 0.05), now
    return True


async def turns() -> None:
    """Let the loop take the turns that are there to take."""
    for _ in range(10):
        await asyncio.sleep(0)
