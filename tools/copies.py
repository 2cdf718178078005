"""Copies for whoever learns: `work/`, where what they have written is never overwritten."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

from tools.paths import ROOT
from tools.trouble import Misuse, Trouble
from tools.working_copy import KEPT_IN, origin, working_copy

NOTEBOOKS, EXERCISES, WORK = ROOT / "notebooks", ROOT / "exercises", ROOT / "work"
FIRST = "01_callbacks.ipynb"
COPIED = ".copied.json"  # in `solutions`: what was copied there, to see later who changed it


def file_of(name: str) -> str:
    """Return the file name of a notebook, however it was called.

    Raises:
        Misuse: there is no such notebook.
    """
    file = Path(name).name.removesuffix(".ipynb") + ".ipynb"
    if not (NOTEBOOKS / file).is_file():
        names = ", ".join(sorted(path.stem for path in NOTEBOOKS.glob("[!.]*.ipynb")))
        raise Misuse(f"there is no notebook '{name}': --fresh takes one of {names}.")
    return file


def make(fresh: str | None = None) -> Path:
    """Copy what is not there yet, say what there is that is older, and return what to open.

    Args:
        fresh: a notebook to copy once more, under the first name that is free.

    Raises:
        Trouble: there is no place for the copies.
    """
    look_for_room()
    WORK.mkdir(exist_ok=True)
    if fresh is not None:
        page = WORK / unused(fresh)
        copy_file(NOTEBOOKS / fresh, page)
        print(f"The clean copy is work/{page.name}.")
    copy_folder(NOTEBOOKS, WORK)
    if fresh is None:
        page = newest(FIRST)
    for old, notebook in older(WORK):
        beside = unused(f"{notebook}.ipynb")
        print(
            f"work/{old} has a newer version, and stays as you left it; perhaps not all of it "
            f"still runs. `python3 workshop.py lab --fresh {notebook}` puts the newer one "
            f"beside it, as work/{beside}."
        )
    for solution in copy_solutions(EXERCISES, WORK / "solutions"):
        print(
            f"work/solutions/{solution} has a newer version, and stays as it is: move it away, "
            "and `lab` copies the newer one."
        )
    return page


def look_for_room() -> None:
    """See whether work/ can be had.

    Raises:
        Trouble: there is no place for the copies.
    """
    if os.path.lexists(WORK) and not WORK.is_dir():
        raise Trouble("'work' is in the way, for it is no folder: move it elsewhere.")
    if WORK.is_dir() and not os.access(WORK, os.W_OK):
        raise Trouble("'work' cannot be written to: move it elsewhere.")


def unused(name: str) -> str:
    """The name itself, or with -2, -3, ...: the first that is not in work/."""
    stem, number = name.removesuffix(".ipynb"), 1
    while os.path.lexists(WORK / name):
        number += 1
        name = f"{stem}-{number}.ipynb"
    return name


def copy_folder(source: Path, target: Path) -> None:
    """Copy what is not there yet: files and folders, and nothing that is a link to one.

    Nothing hidden is copied either: on many a stick a Mac leaves a `._NAME` beside each file.
    """
    if not source.is_dir():
        return
    for entry in os.scandir(source):
        there = target / entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if entry.name != "__pycache__" and not there.is_symlink():
                there.mkdir(exist_ok=True)
                copy_folder(Path(entry.path), there)
        elif entry.is_file(follow_symlinks=False) and not os.path.lexists(there):
            copy_file(Path(entry.path), there)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file; of a notebook, make a working copy."""
    data = source.read_bytes()
    if source.suffix == ".ipynb":
        data = (json.dumps(working_copy(source), ensure_ascii=False, indent=1) + "\n").encode()
    write(target, data)


def write(target: Path, data: bytes) -> None:
    """Write a file as a whole: what exists is never written again, so half of it would stay."""
    part = target.with_name(target.name + ".part")
    part.write_bytes(data)
    part.replace(target)


def older(folder: Path) -> list[tuple[str, str]]:
    """Return the copies of an older version that have no newer one beside them.

    Returns:
        For each its file, and the notebook that it is a copy of.
    """
    found = []
    for source in sorted(NOTEBOOKS.glob("[!.]*.ipynb")):
        versions = versions_of(source, folder)
        if version_of(source) not in versions.values():
            found += [(name, source.stem) for name in versions]
    return found


def newest(notebook: str) -> Path:
    """Return the copy of a notebook in work/ that is to be opened.

    Somebody may have an older one, and the newer beside it; of two that are as new, the first.
    """
    source = NOTEBOOKS / notebook
    versions = versions_of(source, WORK) if source.is_file() else {}
    if versions and version_of(source) in versions.values():
        # The notebook's own name comes before the others.
        new = [name for name in versions if versions[name] == version_of(source)]
        return WORK / min(new, key=lambda name: (name != notebook, len(name), name))
    return WORK / notebook


def version_of(source: Path) -> str:
    """Return which version of a notebook there is now."""
    version: str = working_copy(source)["metadata"][KEPT_IN]["version"]
    return version


def versions_of(source: Path, folder: Path) -> dict[str, str]:
    """Return of which version each copy of a notebook is, by its file."""
    named = re.compile(rf"{re.escape(source.stem)}(-\d+)?\.ipynb")
    versions = {}
    for path in sorted(folder.glob("[!.]*.ipynb")):
        copied, version = origin(path)
        # Older kits left no note of it in their copies.
        if copied == source.stem or (not copied and named.fullmatch(path.name)):
            versions[path.name] = version
    return versions


def copy_solutions(exercises: Path, target: Path) -> list[str]:
    """Copy the solution of each exercise, as NOTEBOOK/NAME.py, also over one of ours.

    Returns:
        Those that have a newer version and were left alone: somebody changed them, or nobody
        knows.
    """
    left: list[str] = []
    if target.is_symlink():
        return left
    copied = before = read_copied(target / COPIED)
    for solution in sorted(exercises.glob("*/*/solution.py")):
        *_, notebook, name, _ = solution.parts
        file = f"{notebook}/{name}.py"
        there = target / file
        path = (solution, *solution.parents[:2], there.parent, there)
        is_odd = there.exists() and not there.is_file()
        if is_odd or not solution.is_file() or any(p.is_symlink() for p in path):
            continue
        now = digest(solution)
        if there.exists() and digest(there) not in (now, before.get(file)):
            if before.get(file) != now:
                left.append(file)
            continue
        if not there.exists() or digest(there) != now:
            there.parent.mkdir(parents=True, exist_ok=True)
            copy_file(solution, there)
        copied = copied | {file: now}
    if copied != before:
        write(target / COPIED, json.dumps(copied, indent=1).encode())
    return left


def read_copied(path: Path) -> dict[str, str]:
    """Return the digest of each solution as it was copied; nothing if that cannot be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
