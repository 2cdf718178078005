"""What there is to print to, and to read from."""

from __future__ import annotations

import os

from tools.paths import BIN, EXE

from .row import Place, Row
from .starting import LAB, ODD, PAGE, POSIX, by_program, by_shell, variables

READY = "This machine is ready for the day."

KERNEL = """
import sys
from jupyter_client.manager import run_kernel

with run_kernel() as client:
    client.execute_interactive("%run " + " ".join(sys.argv[1:]))
"""

# As idlelib has them: what is written goes to another process, and there is no descriptor.
WINDOW = """
import io, runpy

class Window(io.TextIOBase):
    encoding, errors = "utf-8", "strict"

    def __init__(self, file):
        self.file = file

    def write(self, text):
        return self.file.write(text)

    def fileno(self):
        raise io.UnsupportedOperation("fileno")

window = Window(open(os.dup(1), "w", encoding="utf-8"))
nothing = os.open(os.devnull, os.O_RDWR)
for descriptor in range(3):
    os.dup2(nothing, descriptor)
sys.stdin = sys.stdout = sys.stderr = window
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

# What pythonw has: a program without a console.
NO_STREAMS = """
import runpy

said, sys.argv = sys.stdout, sys.argv[1:]
sys.stdin = sys.stdout = sys.stderr = None
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as ended:
    print("it ended with", ended.code, file=said)
"""

TERMINAL = """
import pty

sys.exit(os.waitstatus_to_exitcode(pty.spawn([sys.executable, *sys.argv[1:]])))
"""


def has_terminals() -> bool:
    # A container may be without them.
    try:
        ends = os.openpty()
    except (AttributeError, OSError):
        return False
    for end in ends:
        os.close(end)
    return True


def in_a_notebook(place: Place) -> None:
    place.python = [str(place.house / ".venv" / BIN / f"python{EXE}"), "-c", KERNEL]


ROWS = [
    Row("`%run workshop.py check` in a notebook", READY, in_a_notebook),
    Row(
        "a window of IDLE, where a child has no way to it",
        LAB,
        by_program(WINDOW),
        ("lab", "--version"),
    ),
    Row(
        "no streams at all, as `pythonw` has it",
        "it ended with 0",
        by_program(NO_STREAMS),
        (),
    ),
    Row(
        "the output is closed: `>&-`",
        "exit 0",
        by_shell('"$0" "$@" >&-; echo "exit $?"'),
        ("lab", "--version"),
        systems=POSIX,
    ),
    Row(
        "input, output and errors are closed: `<&- >&- 2>&-`",
        "exit 0",
        by_shell('"$0" "$@" <&- >&- 2>&-; echo "exit $?"'),
        (),
        systems=POSIX,
    ),
    Row("the input is closed: `<&-`", PAGE, by_shell('exec "$0" "$@" <&-'), (), systems=POSIX),
    Row(
        "`| head -n 1`: nobody reads the rest",
        "exit 141",
        by_shell('{ "$0" "$@"; echo "exit $?" >&2; } | head -n 1'),
        absent="Broken",
        systems=POSIX,
    ),
    Row("`nohup`", PAGE, by_shell('exec nohup "$0" "$@"'), (), systems=POSIX),
    Row("a terminal", PAGE, by_program(TERMINAL), (), systems=("linux",), can=has_terminals),
    Row(
        "a terminal that can do nothing, 20 columns wide",
        "usage: workshop.py check",
        variables(TERM="dumb", COLUMNS="20"),
        ("check", "--help"),
    ),
    Row("columns that are none", PAGE, variables(COLUMNS="many", LINES="-1"), ()),
    Row("`LC_ALL=C`", PAGE, variables(LC_ALL="C"), ()),
    Row(
        "a language that is not installed", PAGE, variables(LC_ALL="xx_YY.UTF-8", LANG="xx"), ()
    ),
    *(
        Row(
            f"a console of {encoding}, which lacks a letter of what was typed",
            "there is no notebook '01_?'",
            variables(PYTHONIOENCODING=encoding),
            ("lab", "--fresh", ODD),
            code=2,
        )
        for encoding in ("ascii", "cp1252", "cp850:strict", "latin-1")
    ),
    Row(
        "a console that lacks a letter of what a verb prints",
        "measured ['01_?']",
        variables(PYTHONIOENCODING="ascii"),
        ("bench", "styles", ODD),
        small=True,
    ),
]
