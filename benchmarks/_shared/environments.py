"""Environments of their own, for what cannot live in that of the project.

A package may replace one that others need, and another Python has packages of its own. Each
such environment is made from a lock when it is first needed, with hashes and from wheels, in
`.environments/NAME`, which git ignores; and made anew when the lock or the Python has changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.installers import installers_environment
from tools.paths import BIN, EXE, UV

from .paths import ROOT

ENVIRONMENTS = ROOT / ".environments"
STAMP = "made-from.txt"


class NoEnvironment(Exception):
    """An environment cannot be had on this machine; the message says why, in a sentence."""


def environment(
    name: str, lock: Path, python: str | Path = sys.executable, *, may_build: bool = False
) -> Path:
    """Make an environment, unless it is there already, and return its Python.

    Args:
        name: its folder in `.environments`.
        lock: what it has, as `uv pip compile --generate-hashes` writes it.
        python: the Python that it is made with: a path, or a name on the path such as `pypy3`.
        may_build: whether a package without a wheel is built from its source. What it is built
            with is fetched without hashes.

    Raises:
        NoEnvironment: there is no such Python, or no uv, no network, or no wheel.
    """
    folder = ENVIRONMENTS / name
    its_python = folder / BIN / f"python{EXE}"
    base = shutil.which(str(python))
    if not base:
        raise NoEnvironment(f"there is no {python} here")
    made_from = _described(lock, base)
    stamp = folder / STAMP
    if its_python.exists() and stamp.exists() and stamp.read_text("utf-8") == made_from:
        return its_python
    # Two that make it at the same time do not see each other's; whoever is last is kept.
    new = ENVIRONMENTS / f"{name}.{os.getpid()}"
    try:
        _uv("venv", "--no-project", "--relocatable", "--python", base, new)
        how = ["--no-deps", "--require-hashes"] + ["--only-binary=:all:"] * (not may_build)
        _uv("pip", "install", *how, "-r", lock, "--python", new / BIN / f"python{EXE}")
        (new / STAMP).write_text(made_from, "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return its_python


def _described(lock: Path, python: str) -> str:
    """Return what an environment depends on: its lock, and which Python made it."""
    which = "import sys; print(sys.version, sys.base_prefix)"
    said = subprocess.run([python, "-c", which], capture_output=True, text=True)
    if said.returncode:
        raise NoEnvironment(f"{python} does not run")
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    return f"{lock.name} {digest}\n{said.stdout}"


def _uv(*words: str | Path) -> None:
    if not UV.exists():
        raise NoEnvironment("an environment is made with uv, which is not in .venv")
    done = subprocess.run(
        [UV, *words, "--no-config", "--quiet"],
        env=installers_environment(),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = " ".join(done.stderr.split())
        raise NoEnvironment(f"its environment cannot be made: {said[-300:]}")
