"""Copies for whoever learns: `work/`, without outputs, and never over what is there."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tools.set_up import ROOT, Misuse, Trouble

NOTEBOOKS, EXERCISES, WORK = ROOT / "notebooks", ROOT / "exercises", ROOT / "work"
FIRST = "01_callbacks.ipynb"


def file_of(name: str) -> str:
    """Return the file name of a notebook, however it was called.

    Raises:
        Misuse: there is no such notebook.
    """
    file = Path(name).name.removesuffix(".ipynb") + ".ipynb"
    if not (NOTEBOOKS / file).is_file():
        names = ", ".join(sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")))
        raise Misuse(f"there is no notebook '{name}': --fresh takes one of {names}.")
    return file


def make(fresh: str | None = None) -> Path:
    """Copy what is not there yet, and return the notebook to open.

    Args:
        fresh: a notebook to copy once more, under the first name that is free.

    Raises:
        Trouble: there is no place for the copies.
    """
    if os.path.lexists(WORK) and not WORK.is_dir():
        raise Trouble("'work' is in the way, for it is no folder: move it elsewhere.")
    WORK.mkdir(exist_ok=True)
    page = WORK / (FIRST if fresh is None else unused(fresh))
    if fresh is not None:
        copy_file(NOTEBOOKS / fresh, page)
    copy_folder(NOTEBOOKS, WORK)
    for old in of_an_older_kit(WORK):
        print(f"work/{old} is of an older kit: `lab --fresh {old}` adds one that runs.")
    copy_solutions(EXERCISES, WORK / "solutions")
    return page


def unused(name: str) -> str:
    """The name itself, or with -2, -3, ...: the first that is not in work/."""
    stem, number = name.removesuffix(".ipynb"), 1
    while os.path.lexists(WORK / name):
        number += 1
        name = f"{stem}-{number}.ipynb"
    return name


def copy_folder(source: Path, target: Path) -> None:
    """Copy what is not there yet: files and folders, and nothing that is a link to one."""
    if not source.is_dir():
        return
    for entry in os.scandir(source):
        there = target / entry.name
        if entry.is_dir(follow_symlinks=False):
            if (
                entry.name not in (".ipynb_checkpoints", "__pycache__")
                and not there.is_symlink()
            ):
                there.mkdir(exist_ok=True)
                copy_folder(Path(entry.path), there)
        elif entry.is_file(follow_symlinks=False) and not os.path.lexists(there):
            copy_file(Path(entry.path), there)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file, a notebook without its outputs, so that predictions come before answers."""
    data = source.read_bytes()
    if source.suffix == ".ipynb":
        notebook = json.loads(data)
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell.update(execution_count=None, outputs=[])
        data = (json.dumps(notebook, ensure_ascii=False, indent=1) + "\n").encode()
    # Under another name first: what exists is never written again, so half a copy would stay.
    part = target.with_name(target.name + ".part")
    part.write_bytes(data)
    part.replace(target)


def of_an_older_kit(folder: Path) -> list[str]:
    """Return the notebooks that import what has moved since they were copied."""
    return [
        path.name
        for path in sorted(folder.glob("*.ipynb"))
        if path.is_file() and "stormy_demo.lessons" in path.read_text("utf-8", "replace")
    ]


def copy_solutions(exercises: Path, target: Path) -> None:
    """Copy the solution of each exercise, as NOTEBOOK/NAME.py, if it is not there yet."""
    for solution in sorted(exercises.glob("*/*/solution.py")):
        *_, notebook, name, _ = solution.parts
        there = target / notebook / f"{name}.py"
        path = (solution, *solution.parents[:2], target, there.parent, there)
        if solution.is_file() and not any(p.is_symlink() for p in path) and not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            copy_file(solution, there)
