"""Ways to start the door, and what there is to print to."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Callable
from textwrap import dedent

import pytest

from tests.houses import BASE, BIN, EXE, pin

from .row import Place, Row

Lay = Callable[[Place], object]

POSIX = ("linux", "darwin")
PAGE = "python3 workshop.py VERB [ARGUMENTS]"
READY = "This machine is ready for the day."
APART = "the rest of the kit is not beside it: unpack all of it"
# What `lab --version` says, which begins as `lab` does and ends at once.
LAB = pin("jupyterlab").splitlines()[0].removeprefix("jupyterlab==").split()[0] + "\n"
# A letter that few consoles have.
ODD = "01_\N{GREEK CAPITAL LETTER OMEGA}"


def _name_folders(place: Place) -> None:
    for name, folder in (("SPARE", place.spare), ("HOUSE", place.house)):
        place.environment.setdefault(name, str(folder))


def by_program(code: str) -> Lay:
    """Have a small program start the door, whose words it gets as its own."""

    def lay(place: Place) -> None:
        _name_folders(place)
        place.python = [BASE, "-c", f"import os, subprocess, sys\n{dedent(code)}"]

    return lay


def by_shell(script: str) -> Lay:
    """Have a shell start the door: in the script, "$0" is Python and "$@" the door's words."""

    def lay(place: Place) -> None:
        _name_folders(place)
        place.python = ["sh", "-c", script, BASE]

    return lay


def variables(**changes: str) -> Lay:
    """Set variables."""
    return lambda place: place.environment.update(changes)


# -- no usual console --------------------------------------------------------------------------

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


def in_a_notebook(place: Place) -> None:
    place.python = [str(place.house / ".venv" / BIN / f"python{EXE}"), "-c", KERNEL]


CONSOLES = [
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
    Row("a terminal", PAGE, by_program(TERMINAL), (), systems=("linux",)),
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

# -- ways to start it --------------------------------------------------------------------------


def a_link(place: Place) -> None:
    (place.spare / "door.py").symlink_to(place.house / "workshop.py")
    by_program(
        """
        command = [sys.executable, "door.py", *sys.argv[2:]]
        sys.exit(subprocess.call(command, cwd=os.environ["SPARE"]))
        """
    )(place)


def a_linked_folder(place: Place) -> None:
    (place.spare / "kit").symlink_to(place.house)
    by_shell('cd "$SPARE/kit" && exec "$0" "$@"')(place)


def alone(place: Place) -> None:
    shutil.copy(place.house / "workshop.py", place.spare)
    by_program(
        "sys.exit(subprocess.call([sys.executable, *sys.argv[1:]], cwd=os.environ['SPARE']))"
    )(place)


def packed(place: Place) -> None:
    with zipfile.ZipFile(place.spare / "kit.zip", "w") as kit:
        for path in [place.house / "workshop.py", *(place.house / "tools").glob("*.py")]:
            kit.write(path, path.relative_to(place.house))
    by_program(
        """
        os.environ["PYTHONPATH"] = os.path.join(os.environ["SPARE"], "kit.zip")
        command = [sys.executable, "-m", "workshop", *sys.argv[2:]]
        sys.exit(subprocess.call(command, cwd=os.environ["SPARE"]))
        """
    )(place)


WAYS = [
    Row(
        "it is started from another folder",
        PAGE,
        by_program(
            """
            command = [sys.executable, os.path.abspath("workshop.py"), *sys.argv[2:]]
            sys.exit(subprocess.call(command, cwd=os.environ["SPARE"]))
            """
        ),
        (),
    ),
    Row(
        "it is started from a folder that is gone",
        PAGE,
        by_shell(
            'mkdir "$SPARE/gone" && cd "$SPARE/gone" && rmdir "$SPARE/gone" && shift &&'
            ' exec "$0" "$HOUSE/workshop.py" "$@"'
        ),
        (),
        systems=("linux",),
    ),
    Row("it is started by a link to it", PAGE, a_link, (), systems=POSIX),
    Row(
        "a link leads to its folder, which is set up",
        LAB,
        a_linked_folder,
        ("lab", "--version"),
        absent="Setting up",
        systems=POSIX,
    ),
    Row(
        "`python3 -m workshop`",
        PAGE,
        by_program(
            "sys.exit(subprocess.call([sys.executable, '-m', 'workshop', *sys.argv[2:]]))"
        ),
        (),
    ),
    Row(
        "`python3 - < workshop.py`",
        PAGE,
        by_program(
            """
            command = [sys.executable, "-", *sys.argv[2:]]
            sys.exit(subprocess.call(command, stdin=open("workshop.py", "rb")))
            """
        ),
        (),
    ),
    Row(
        "`exec(open('workshop.py').read())`",
        PAGE,
        by_program(
            """
            sys.argv = sys.argv[1:]
            exec(open("workshop.py", encoding="utf-8").read(), {"__name__": "__main__"})
            """
        ),
        (),
    ),
    Row("workshop.py alone, as a zip opens it that is not unpacked", APART, alone, (), code=1),
    Row("the zip itself is where Python looks", APART, packed, (), code=1),
    Row(
        "a word of ten thousand letters",
        "workshop.py: there is no verb",
        variables(),
        ("x" * 10_000,),
        code=2,
    ),
]

# -- what only one system has, for the runners of CI -------------------------------------------


def in_powershell(place: Place) -> None:
    place.python = ["powershell", "-NoProfile", "-Command", f"& '{BASE}'"]


def in_a_command_prompt(place: Place) -> None:
    place.python = ["cmd", "/c", "chcp", "437", ">nul", "&", BASE]


def the_systems_own(place: Place) -> None:
    python = "/usr/bin/python3"
    code = "import sys; print(sys.version_info >= (3, 11))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    if done.stdout != "False\n":
        pytest.skip(f"{python} is no older Python here")
    place.python = [python]


def quarantined(place: Place) -> None:
    mark = "0081;00000000;Safari;"
    for path in [place.house / "workshop.py", *(place.house / "tools").glob("*.py")]:
        subprocess.run(["xattr", "-w", "com.apple.quarantine", mark, path], check=True)


def in_capitals(place: Place) -> None:
    """Start it by a path with other letters, which on these systems is the same path."""
    place.environment["HOUSE"] = str(place.house.parent / place.house.name.swapcase())
    by_program(
        """
        command = [sys.executable, *sys.argv[1:]]
        sys.exit(subprocess.call(command, cwd=os.environ["HOUSE"]))
        """
    )(place)


OF_ONE_SYSTEM = [
    Row("PowerShell", PAGE, in_powershell, (), systems=("win32",)),
    Row(
        "a Command Prompt of the code page 437",
        "there is no notebook '01_",
        in_a_command_prompt,
        ("lab", "--fresh", ODD),
        code=2,
        systems=("win32",),
    ),
    Row(
        "the `python3` that comes with Xcode",
        "and the workshop needs 3.11 or newer",
        the_systems_own,
        code=1,
        systems=("darwin",),
    ),
    Row(
        "files that a browser has brought, in quarantine",
        "measured []",
        quarantined,
        ("bench", "styles"),
        systems=("darwin",),
        small=True,
    ),
    Row(
        "its folder is written in other letters",
        "measured []",
        in_capitals,
        ("bench", "styles"),
        systems=("darwin", "win32"),
        small=True,
    ),
]

ROWS = [*CONSOLES, *WAYS, *OF_ONE_SYSTEM]
