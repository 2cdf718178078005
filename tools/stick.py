"""A folder from which `lab` starts without a network: how it begins, and the kit in it.

Its wheels are put there by `tools/wheels.py`, on the Python of `.venv`. This is the standard
library only: a folder that cannot be used is told before anything is installed.
"""

from __future__ import annotations

import contextlib
import errno
import filecmp
import fnmatch
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tools.locks import PYTHONS
from tools.paths import ROOT, WHEELS
from tools.trouble import Misuse, Trouble

MEGABYTES = 950
START = "START.txt"
WORDS = f"""\
Copy this folder to your disk, and open a terminal in the copy. It needs Python {PYTHONS}.
On Linux and macOS, say: python3 workshop.py lab
On Windows, say: py workshop.py lab
"""
# What Windows and Linux put on a stick by themselves.
OF_THE_SYSTEM = ("System Volume Information", "$RECYCLE.BIN", "lost+found")


def begin(folder: Path) -> None:
    """Make a stick without its wheels, or add what it lacks.

    Args:
        folder: where it is made.

    Raises:
        Misuse: it is no place for a stick.
        Trouble: it cannot be written to, or there is no room.
    """
    if ROOT in (folder, *folder.parents):
        raise Misuse(f"{folder} is in the project: name a folder outside of it.")
    with told_in_words(folder):
        if folder.exists() and not folder.is_dir():
            raise Misuse(f"{folder} is a file: name a folder that is new or empty.")
        theirs = [path for path in folder.glob("[!.]*") if path.name not in OF_THE_SYSTEM]
        if theirs and not (folder / START).is_file():
            raise Misuse(f"{folder} has other files in it: name a folder that is new or empty.")
        folder.mkdir(parents=True, exist_ok=True)
        # First, since a stick that is not finished is known by it.
        (folder / START).write_text(WORDS, encoding="utf-8")
        look_for_room(folder)
        print(f"Copying the kit to {folder} ...", flush=True)
        for path in files():
            copy(path, folder / path.relative_to(ROOT))


def look_for_room(folder: Path) -> None:
    """Find out whether a stick has room for what it does not have yet.

    Raises:
        Trouble: it has not.
    """
    free = shutil.disk_usage(folder).free // 1_000_000
    lacks = MEGABYTES - size_in_mb(folder / WHEELS.name)
    if free < lacks:
        raise Trouble(
            f"the disk of {folder} has {free} MB free, and a stick needs {lacks} MB: make room "
            "there, or name a folder on another disk."
        )


@contextlib.contextmanager
def told_in_words(folder: Path) -> Iterator[None]:
    """Say in a sentence what the system refuses while a stick is written.

    Raises:
        Trouble: with that sentence.
    """
    try:
        yield
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            raise Trouble(
                f"the disk of {folder} is full: make room there; the same command goes on from "
                "here."
            ) from None
        raise Trouble(
            f"{problem.filename or folder}: {problem.strerror}: put that right, or name "
            "another folder."
        ) from None


def size_in_mb(folder: Path) -> int:
    """Return how large all files of a folder are, in MB."""
    sizes = (path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return sum(sizes) // 1_000_000


def copy(source: Path, target: Path) -> None:
    """Copy a file, unless it is there already, and make the folders above it."""
    if target.is_file() and filecmp.cmp(source, target, shallow=False):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # Its content alone: the file system of a stick may have no modes.
    shutil.copyfile(source, target)


def files() -> list[Path]:
    """Return what belongs to the kit: what git knows, or else all that .gitignore leaves."""
    if (ROOT / ".git").exists():
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            # A clone may be somebody else's, as in a container.
            git = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
            listed = subprocess.run(git, cwd=ROOT, capture_output=True, check=True).stdout
            names = map(os.fsdecode, filter(None, listed.split(b"\0")))
            return [path for path in map(ROOT.joinpath, names) if path.is_file()]
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    return [*left_by([".git", *(line for line in lines if line.strip("# "))], ROOT)]


def left_by(patterns: list[str], folder: Path) -> Iterator[Path]:
    """Yield the files below a folder of the project that no pattern names, as git reads them.

    Args:
        patterns: lines of a .gitignore of the simple kind: the name of a file or a folder, or,
            where a slash stands in front of its end, its path.
        folder: where it is looked for them.
    """
    for path in sorted(folder.iterdir()):
        where = path.relative_to(ROOT).as_posix()
        named = (
            fnmatch.fnmatch(
                where if "/" in pattern.rstrip("/") else path.name, pattern.strip("/")
            )
            for pattern in patterns
        )
        if any(named):
            continue
        if path.is_dir():
            yield from left_by(patterns, path)
        else:
            yield path
