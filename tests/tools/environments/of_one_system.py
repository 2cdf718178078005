"""What only macOS or only Windows has."""

from __future__ import annotations

import subprocess

import pytest

from tests.houses import BASE

from .row import Place, Row
from .starting import ODD, PAGE, by_program


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


def named_for_a_prompt(place: Place) -> None:
    place.house = place.house.rename(place.house.with_name("a & b ^ (c) %d% !e! 'f'"))


def in_capitals(place: Place) -> None:
    """Start it by a path with other letters, which on these systems is the same path."""
    place.environment["HOUSE"] = str(place.house.parent / place.house.name.swapcase())
    by_program(
        """
        command = [sys.executable, *sys.argv[1:]]
        sys.exit(subprocess.call(command, cwd=os.environ["HOUSE"]))
        """
    )(place)


ROWS = [
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
        "all signs in the path that a Command Prompt knows",
        "measured []",
        named_for_a_prompt,
        ("bench", "styles"),
        systems=("win32",),
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
