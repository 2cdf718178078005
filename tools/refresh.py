"""Run the notebooks again in place, or check that a run gives what stands in them.

    python3 workshop.py refresh [--check] [NOTEBOOK ...]

A notebook is named by its file, or as 01_callbacks.

A cell whose new output equals the committed one, once `sanitize.cfg` has been applied to both,
keeps the committed one: a difference in a commit is then a difference on the page.
"""

from __future__ import annotations

import argparse
import asyncio
import configparser
import difflib
import json
import os
import re
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools import usage
from tools.kernels import AsyncKernel
from tools.paths import ROOT

PATIENCE = 600  # seconds for a cell, and for the start of a kernel, on a busy machine
SANITIZE = ROOT / "tests" / "sanitize.cfg"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class Failed(Exception):
    """A notebook does not run to its end."""


def notebooks() -> list[Path]:
    """Return all notebooks of the project, in their order."""
    return [path for room in usage.ROOMS for path in sorted((ROOT / room).glob("[!.]*.ipynb"))]


def read(path: Path) -> NotebookNode:
    """Read a notebook."""
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    return notebook


def run(path: Path) -> NotebookNode:
    """Run a notebook in a new kernel, in its own folder, and return it with its outputs.

    Raises:
        CellExecutionError: a cell failed.
    """
    notebook = read(path)
    client = NotebookClient(
        notebook,
        timeout=PATIENCE,
        startup_timeout=PATIENCE,
        kernel_name="python3",
        kernel_manager_class=AsyncKernel,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    # `execute` would leave its loop open, one for each thread.
    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(client.async_execute())
    return normalised(notebook)


def _loop() -> asyncio.AbstractEventLoop:
    """Return a loop that leaves signals to Python.

    At Ctrl-C nbclient would take the kernel away from itself, and fail when it misses it.
    """
    loop = asyncio.new_event_loop()

    def refuse(*_: object) -> NoReturn:
        # This is what nbclient is told where there are no such signals.
        raise NotImplementedError

    loop.add_signal_handler = refuse  # type: ignore[assignment, method-assign]
    return loop


def normalised(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook without what depends on the machine that ran it."""
    kept = {k: v for k, v in notebook.metadata.items() if k not in METADATA}
    notebook.metadata = nbformat.from_dict({**kept, **METADATA})
    return notebook


def sanitizers() -> list[tuple[re.Pattern[str], str]]:
    """Return what is replaced in outputs before they are compared, and by what."""
    config = configparser.RawConfigParser()
    config.read(SANITIZE)
    return [
        (re.compile(s["regex"]), s["replace"])
        for s in map(config.__getitem__, config.sections())
    ]


def sanitized(outputs: Any) -> str:
    """Return outputs as text to compare."""
    text = json.dumps(outputs, indent=1, sort_keys=True, ensure_ascii=False)
    for pattern, replacement in sanitizers():
        text = pattern.sub(replacement, text)
    return text


def differences(old: NotebookNode, new: NotebookNode) -> Iterable[tuple[int, str]]:
    """Give the number of each cell whose outputs differ, and in what."""
    for number, (before, after) in enumerate(zip(old.cells, new.cells, strict=True)):
        if before.cell_type != "code":
            continue
        a, b = sanitized(before.outputs), sanitized(after.outputs)
        if a != b or before.execution_count != after.execution_count:
            diff = difflib.unified_diff(
                a.splitlines(), b.splitlines(), "on the page", "a run", "", "", 1, ""
            )
            yield number, "\n".join(diff) or "it was never run, or not in this order"


def refresh(path: Path, check: bool) -> bool:
    """Bring one notebook up to date, or check whether it is; say what is not.

    Returns:
        Whether it was up to date.

    Raises:
        Failed: a cell failed, took too long, or ended the kernel.
    """
    name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
    old = read(path)
    try:
        new = run(path)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise Failed(f"{name}: a cell failed\n{error}") from error
    found = list(differences(old, new))
    for number, diff in found:
        print(f"{name}: cell {number} differs\n{diff}")
    stale = {number for number, _ in found}
    for number, (before, after) in enumerate(zip(old.cells, new.cells, strict=True)):
        if before.cell_type == "code" and number not in stale:
            after.outputs = before.outputs
    text = nbformat.writes(new) + "\n"
    same: bool = text == path.read_text(encoding="utf-8")
    if not check and not same:
        path.write_text(text, encoding="utf-8", newline="\n")
    if not found and not same:
        print(f"{name}: the outputs are right, what is around them is not normalised")
    print(f"{name}: {'up to date' if same else 'out of date' if check else 'refreshed'}")
    return same


def main() -> int:
    """Refresh or check the notebooks that the command line names, or all of them."""
    signals: list[int] = []

    def stop(signum: int, _: object) -> NoReturn:
        signals.append(signum)
        # nbclient takes this for the end of a kernel, and says more than anybody wants to know.
        for descriptor in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
        raise KeyboardInterrupt

    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, stop)
    try:
        return refresh_those(usage.of_refresh().parse_args())
    finally:
        # Whatever came of it on the way.
        if signal.SIGTERM in signals:
            sys.exit(143)
        if signals:
            raise KeyboardInterrupt


def refresh_those(arguments: argparse.Namespace) -> int:
    """Refresh or check what the arguments name; return the exit code."""
    paths = arguments.notebook or notebooks()
    status = 0
    for path in paths:
        try:
            if not refresh(path, arguments.check) and arguments.check:
                status = 1
        except Failed as failed:
            print(failed)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
