"""The ways to make an environment from nothing, and what each of them takes."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks._shared.paths import ROOT
from classroom.measuring.rounds import Figures, Refused
from tools.locks import CORE
from tools.paths import BIN, EXE, WHEELS
from tools.systems import Pair, pairs

PYTHON = getattr(sys, "_base_executable", sys.executable)
Environment = dict[str, str]
Way = Callable[[Path, Environment], None]
"""Makes `.venv` in a folder that has the lock and, on a stick, wheels."""


@dataclass(frozen=True)
class Start:
    """From what an environment is made.

    Attributes:
        has_cache: whether the installers have a cache, from another time.
        wheels: the folder of a stick, or nothing where they are fetched.
    """

    has_cache: bool
    wheels: Path | None = None


def by_the_door(folder: Path, environment: Environment) -> None:
    """Do what each verb of workshop.py does first."""
    run(PYTHON, "-c", SET_UP, folder=folder, environment=environment)


SET_UP = "from tools import set_up; set_up.set_up(set_up.CORE)"


def by_pip(folder: Path, environment: Environment, *options: str) -> None:
    """Do what people do by hand."""
    run(PYTHON, "-m", "venv", ".venv", folder=folder, environment=environment)
    python = str(folder / ".venv" / BIN / f"python{EXE}")
    if (folder / WHEELS.name).is_dir():
        options += ("--no-index", "--find-links", WHEELS.name)
    # The lock leaves out, on purpose, what a package of it asks for.
    words = ("-m", "pip", "install", "--no-deps", "-r", CORE, *options)
    run(python, *words, folder=folder, environment=environment)


def by_pip_without_compiling(folder: Path, environment: Environment) -> None:
    """Do so, and leave the modules to be compiled when they are first imported."""
    by_pip(folder, environment, "--no-compile")


def run(*command: str, folder: Path, environment: Environment) -> None:
    """Run one step in a folder.

    Raises:
        Refused: it failed.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise Refused(f"it failed: {done.stdout.strip().rpartition(chr(10))[2]}")


def figures(way: Way, start: Start, folder: Path) -> Figures:
    """Set up once, and return what it took.

    Args:
        way: how.
        start: from what.
        folder: of this way alone; its cache stays there until the next time.

    Raises:
        Refused: it failed.
    """
    project, cache = folder / "project", folder / "cache"
    shutil.rmtree(project, ignore_errors=True)
    if not start.has_cache:
        shutil.rmtree(cache, ignore_errors=True)
    shutil.copytree(ROOT / "tools", project / "tools")
    shutil.copy(ROOT / CORE, project)
    if start.wheels:
        # Links, since they would else be in the way of what is measured, on the disk.
        shutil.copytree(start.wheels, project / WHEELS.name, copy_function=os.link)
    environment = surroundings(cache, offline=bool(start.wheels))
    used, began = processor_time(), time.perf_counter()
    way(project, environment)
    return {
        "seconds": time.perf_counter() - began,
        "cpu_s": processor_time() - used,
        "disk_mb": on_disk(project / ".venv", cache) / 1e6,
    }


def surroundings(cache: Path, *, offline: bool) -> Environment:
    """Return the environment of a set-up.

    Args:
        cache: where the installers keep what they fetched.
        offline: whether nobody is to be reached.
    """
    ours = ("PYTHON", "VIRTUAL_ENV", "JUPYTER")
    found = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    found |= {"PIP_CACHE_DIR": str(cache / "pip"), "UV_CACHE_DIR": str(cache / "uv")}
    if offline:
        # Nothing listens there.
        found |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    return found


def processor_time() -> float:
    """Return the seconds that all children took which have ended, and theirs."""
    times = os.times()
    return times.children_user + times.children_system


def on_disk(*folders: Path) -> int:
    """Return the bytes of all files of some folders; a file in two places counts once."""
    sizes = {}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                about = path.stat()
                sizes[about.st_dev, about.st_ino] = about.st_size
    return sum(sizes.values())


def here() -> Pair | None:
    """Return the pair of this machine, if a stick has wheels for it."""
    mine = (sys.platform, platform.machine(), sys.version_info.minor)
    for pair in pairs():
        if (pair.system.sys_platform, pair.system.machine, pair.minor) == mine:
            return pair
    return None
