"""Examine an answer: read it, and run it in a process of its own, whatever it does there."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO

from .case import WHERE
from .evidence import YOUR_CODE
from .kinds import Choice, Exercise
from .own_time import OwnTime, worked, worked_by_all
from .rendering import quoted
from .verdict import FAILED, Verdict

# Seconds, without those in which the child waits for a processor; or seconds of its work. The
# child's watchdog gives up before that; this is for a child whose threads cannot run, as in a
# long call into C.
DEADLINE = 20.0
# Seconds of work of the child and all that it has started, together. They make each other wait
# for a processor, and that is not the machine's fault.
MOST_WORK = 60.0
# Seconds on the wall. When they have passed, the machine is too busy to have a verdict.
LONGEST = 180.0
TRIES = 3  # at most, when the child was suspended meanwhile
MOST_READ = 10_000_000  # bytes of a verdict, which may have a film in it
MOST_KEPT = 10_000  # bytes of what the learner's code prints


# Python 3.11.7 counts how deep it is for all threads together: two that parse at once disturb
# each other, and one gets a SystemError.
_parsing = threading.Lock()


def examine(exercise: Exercise | Choice, source: str) -> Verdict:
    """Examine an answer to an exercise.

    It blocks until the verdict is there, for 20 seconds at most, and longer if the machine is
    busy. The code runs in a process of its own, which is ended with what it started, but for
    what has left its process group.

    Args:
        exercise: it.
        source: the learner's cell, without the line of its magic.

    Returns:
        The verdict.

    Raises:
        RuntimeError: the checker itself failed, or could not even begin.
    """
    try:
        # The empty line stands for the magic, so that line numbers are those of the cell.
        with _parsing:
            tree = ast.parse("\n" + source)
        # Some errors, such as `await` in a plain function, are found by the compiler only.
        compile("\n" + source, exercise.name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        what = getattr(error, "msg", str(error)) or "it is too deeply nested"
        where = quoted(source, getattr(error, "lineno", None) or 0)
        return Verdict(
            exercise.name,
            "wrong",
            tried=["your cell is read."],
            expected="valid Python",
            got=" ".join(filter(None, [what, where and f"({where})"])),
            mistake="syntax",
            looks_like="a syntax error",
            hints=[_about_syntax(what), *exercise.hints],
        )
    if dots := _dots(tree):
        *most, last = map(str, dots)
        places = f"lines {', '.join(most)} and {last}" if most else f"line {last}"
        note = f"There are dots in {places}: put your answer in their place."
        return Verdict(exercise.name, "not done", note, hints=list(exercise.hints))
    if isinstance(exercise, Choice):
        return exercise.judge(tree)
    verdict = _run(exercise, source)
    for _ in range(TRIES - 1):
        if verdict.right or not verdict.stalled:
            break
        verdict = _run(exercise, source)
    return verdict


def _about_syntax(what: str) -> str:
    if re.search(r"outside (of an )?(async(hronous)? )?function", what):
        return "Only an `async def` may say that, and `return` belongs into a function."
    return "Look at that line, and at the one above it."


def _dots(tree: ast.Module) -> list[int]:
    """Return the lines in which dots still stand for what is to be written."""
    # `class Trouble(Exception): ...` is complete: its dots are no place for an answer.
    empty = [
        node.body[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and len(node.body) == 1
    ]
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=value) | ast.Assign(value=value) | ast.Return(value=value):
                is_dots = isinstance(value, ast.Constant) and value.value is ...
                if is_dots and node not in empty:
                    found.append(node.lineno)
    return sorted(found)


def _variables() -> dict[str, str]:
    """Return the variables of the environment."""
    while True:
        # Another thread may take one away between its name and its value.
        with contextlib.suppress(KeyError):
            return dict(os.environ)


def _run(exercise: Exercise, source: str) -> Verdict:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        file = Path(folder, "verdict.json")
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "classroom.examining.child", exercise.name, file],
            # Files that the learner's code leaves behind go with the folder.
            cwd=folder,
            # Unbuffered, many prints would take so long that they looked like an endless loop.
            env={
                **_variables(),
                "PYTHONUTF8": "1",
                "PYTHONUNBUFFERED": "",
                # Else each thread takes 64 megabytes of what a bound on memory counts.
                "MALLOC_ARENA_MAX": "1",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            said = _Listener(child)
            end, begun = _wait(child, source, file)
            # One that has not begun would be ended by what it is asked with.
            where = _where(child, file, source) if end is _TOO_LONG and begun else ""
        finally:
            _end(child)
        text = said.text()
        verdict = _read(file)
    if verdict:
        if verdict.state == FAILED:
            raise RuntimeError(f"the checker of {exercise.name} failed:\n{verdict.got}")
        verdict.said = text
        return verdict
    if end is _BUSY:
        note = (
            f"The machine is so busy that {LONGEST:g} seconds were not enough. "
            "Check again when it has less to do."
        )
        return Verdict(exercise.name, "not done", note, said=text)
    if not begun:
        raise RuntimeError(f"the check of {exercise.name} could not begin: {end}\n{text}")
    if end is _TOO_LONG:
        got, like = f"no answer within {DEADLINE:g} seconds", "a call that never returns"
        got += f" ({where})" if where else ""
    else:
        got, like = end, "code that ends the whole program"
    return Verdict(
        exercise.name,
        "wrong",
        tried=["your code is run in a process of its own."],
        expected="the process lives until it has been checked",
        got=got,
        mistake="gone",
        looks_like=like,
        hints=[
            "Take out your lines one by one until the process lives.",
            *exercise.hints,
        ],
        said=text,
    )


def _read(file: Path) -> Verdict | None:
    """Return the verdict that the child left, if it left one."""
    # The learner's code may have put anything in its place: a pipe, a gigabyte, nested lists.
    with contextlib.suppress(OSError, ValueError, TypeError, RecursionError):
        if file.is_file() and file.stat().st_size < MOST_READ:
            return Verdict.from_data(json.loads(file.read_text(encoding="utf-8")))
    return None


# How a child ended that did not end by itself.
_TOO_LONG = "it comes to no end"
_BUSY = "it waits for a processor"


def _wait(child: subprocess.Popen[bytes], source: str, file: Path) -> tuple[str, bool]:
    """Hand the code over, and wait for the end of the child.

    Returns:
        How it ended, and whether the learner's code can have begun.
    """
    assert child.stdin
    begun = False
    with contextlib.suppress(OSError):
        child.stdin.write(source.encode())
        child.stdin.close()
    began, clock = time.monotonic(), OwnTime(process=child.pid)
    while time.monotonic() - began < LONGEST:
        # In short steps, so that an interrupted cell ends at once on every system.
        code = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = child.wait(0.05)
        # Code that has begun may take the files away.
        begun = begun or file.with_suffix(".part").exists() or file.exists()
        if code is not None:
            return _in_words(code), begun
        # While a call lets no other thread run, those wake again and again to ask for their
        # turn, and stand in line for a processor; the clock counts little of that time.
        if max(clock.time(), worked(child.pid)) > DEADLINE:
            return _TOO_LONG, begun
        if worked_by_all(child.pid) > MOST_WORK:
            return _TOO_LONG, begun
    return _BUSY, begun


def _where(child: subprocess.Popen[bytes], file: Path, source: str) -> str:
    """Return the line of the learner's code at which the child stands, as far as it tells."""
    if sys.platform == "win32":
        return ""
    with contextlib.suppress(OSError):
        child.send_signal(signal.SIGUSR1)
    said = file.with_name(WHERE)
    for _ in range(20):
        time.sleep(0.05)
        with contextlib.suppress(OSError):
            # The main thread comes last, and in each thread the innermost line first.
            for thread in reversed(said.read_text(errors="replace").split("hread 0x")):
                if found := re.search(f'File "{YOUR_CODE}", line ([0-9]+) in ', thread):
                    return quoted(source, int(found[1]))
    return ""


def _in_words(code: int) -> str:
    """Return an exit code in words; on Unix a negative one is the number of a signal."""
    if code >= 0:
        return f"it ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it was ended by signal {-code}"


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and what it started, and let go of what connects us."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(child.pid)], capture_output=True)
    else:
        # The child leads a process group of its own; as long as one of its processes lives, the
        # group's number is not given to another.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    if child.stdin:
        with contextlib.suppress(OSError):
            child.stdin.close()


class _Listener:
    """Take what a child prints, so that it never waits for us, and keep the beginning."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout
        self.kept = b""
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.listen, args=(child.stdout,), daemon=True)
        self.thread.start()

    def listen(self, pipe: IO[bytes]) -> None:
        with pipe:
            while not self.over.is_set():
                # On Windows, select() takes sockets only.
                if sys.platform != "win32" and not select.select([pipe], [], [], 0.1)[0]:
                    continue
                piece = os.read(pipe.fileno(), 65_536)
                if not piece:
                    break
                self.kept += piece[: MOST_KEPT - len(self.kept)]

    def text(self) -> str:
        # A process that has left the group may keep the pipe open, so the end may never come.
        self.thread.join(1)
        self.over.set()
        return self.kept.decode(errors="replace").rstrip()
