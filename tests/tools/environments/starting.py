"""Other ways to start the door than a Python at a prompt, for rows of the table."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

from tests.houses import BASE, pin

from .row import Place

Lay = Callable[[Place], object]

POSIX = ("linux", "darwin")
# What the door says that is opened without a word.
PAGE = "python3 workshop.py VERB [ARGUMENTS]"
# What `lab --version` says, which begins as `lab` does and ends at once.
LAB = pin("jupyterlab").splitlines()[0].removeprefix("jupyterlab==").split()[0] + "\n"
# A name with a letter that few consoles have.
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
