"""Something to print to, whatever the console is: a terminal, a pipe, a window, or nothing.

Standard library only, since this runs before there is anything else.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, TextIO

# What shells say of a program that SIGPIPE has ended, as it ends others of which somebody reads
# only the first line.
UNREAD = 141


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Have streams that can be printed to while the block lasts.

    Raises:
        SystemExit: nobody reads what is printed any more.
    """
    prepare()
    try:
        yield
    except OSError as problem:
        if not is_unread(problem):
            raise
        sys.exit(UNREAD)
    finally:
        settle()


def prepare() -> None:
    """Open what is closed, and let no letter be a reason to say nothing."""
    # A descriptor that a shell has closed, as by `>&-`, is given to the next file that is
    # opened, and what a child prints would land in that file.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < 3:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif hasattr(stream, "reconfigure"):
            # A console may not have a character of a path; and what children print must come
            # in its order.
            stream.reconfigure(errors="replace", line_buffering=True)


def settle() -> None:
    """Have what nobody reads forgotten: at its end Python would print it, and fail again."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def is_unread(problem: OSError) -> bool:
    """Return whether this says that nobody reads what was printed."""
    windows = sys.platform == "win32" and problem.errno == errno.EINVAL
    return isinstance(problem, BrokenPipeError) or (windows and problem.filename is None)


def of_children(env: dict[str, str]) -> dict[str, Any]:
    """Return what `subprocess.Popen` is to be told, so that what a child prints is seen.

    Where this program prints to a window, as in a notebook or in IDLE, a child has no way to
    it, and `repeat` goes between them.

    Args:
        env: the environment of the child, which is told what the console can show.
    """
    if _is(sys.stdout, 1) and _is(sys.stderr, 2):
        return {"env": {**env, "PYTHONIOENCODING": f"{sys.stdout.encoding}:replace"}}
    return {
        "env": {**env, "PYTHONIOENCODING": "utf-8:replace"},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "encoding": "utf-8",
        "errors": "replace",
    }


def _is(stream: TextIO, descriptor: int) -> bool:
    try:
        return stream.fileno() == descriptor
    except (AttributeError, OSError, ValueError):
        return False


def repeat(child: subprocess.Popen[str]) -> None:
    """Print what a child prints until it ends, where it cannot do so itself."""
    for line in child.stdout or ():
        print(line, end="")


def stay() -> None:
    """Wait for a word, where a window would be gone before anybody has read it.

    On Windows that is so of a program that was started by a double click. A shell there, other
    than PowerShell, has set its prompt.
    """
    if sys.platform == "win32" and "PROMPT" not in os.environ:
        with contextlib.suppress(AttributeError, EOFError, OSError, ValueError):
            if sys.stdin.isatty() and sys.stdout.isatty():
                input("\nPress Enter to close this.")
