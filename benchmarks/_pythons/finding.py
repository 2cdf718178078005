"""Which Pythons there are on this machine, found as their users find them; nothing is fetched.

Places that are looked into: the path, with names such as `python3.14` and `pypy3`; the versions
that pyenv has; and what uv lists, which knows its own and on Windows those of the launcher too.
A Python that is elsewhere can be given by its command.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.paths import EXE, UV

Command = tuple[str, ...]

# The minor versions of CPython that are compared, and what PyPy is called.
MINORS = range(11, 16)
PYPYS = ("pypy3", *(f"pypy3.{minor}" for minor in range(9, 14)))
OLDEST = (3, 9)
PATIENCE = 20  # seconds; a Python says in less who it is
# Runs on any Python 3, and says who that is.
WHO = """
import json, platform, sys, sysconfig
jit = getattr(sys, "_jit", None)
print(json.dumps({
    "implementation": platform.python_implementation(),
    "version": platform.python_version(),
    "minor": sys.version_info[:2],
    "build": sys.version,
    "pypy": list(getattr(sys, "pypy_version_info", ()))[:3],
    "is_free": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "has_jit": bool(jit and jit.is_available()),
}))
"""


class NoPython(Exception):
    """A command starts no Python that could be measured; the message says which."""


@dataclass(frozen=True)
class Python:
    """A Python of this machine.

    Attributes:
        name: which one, without the last number of its version.
        command: what starts it.
        version: the version of the language that it speaks, with all its numbers.
        minor: the first two of them.
        build: all that it says of itself; the same for two commands that start the same one.
        has_jit: it is a CPython that has a compiler, which is off unless the environment says
            otherwise.
        environment: what the environment is to say besides.
    """

    name: str
    command: Command
    version: str
    minor: tuple[int, int]
    build: str = ""
    has_jit: bool = False
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def compiles(self) -> bool:
        """Whether it compiles what runs often."""
        return "PYTHON_JIT" in self.environment or self.name.startswith("PyPy")

    @property
    def with_jit(self) -> Python:
        """Return the same one with its compiler switched on."""
        return replace(self, name=f"{self.name} with its JIT", environment={"PYTHON_JIT": "1"})


def who(command: Command) -> Python:
    """Ask a Python who it is.

    Raises:
        NoPython: it does not run, or is older than all that Tornado is measured on.
    """
    words = shlex.join(command)
    try:
        said = subprocess.run(
            [*command, "-c", WHO],
            env=bare_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        ).stdout
        found: dict[str, Any] = json.loads(said)
        major, minor = found["minor"]
    except (OSError, subprocess.SubprocessError, ValueError, TypeError, KeyError):
        raise NoPython(f"{words} is no Python 3 that runs here") from None
    if (major, minor) < OLDEST:
        raise NoPython(f"{words} is Python {found['version']}, which is too old")
    name = f"{found['implementation']} {major}.{minor}{'t' * found['is_free']}"
    if found["pypy"]:
        name = f"PyPy {found['pypy'][0]}.{found['pypy'][1]} ({major}.{minor})"
    return Python(
        name, command, found["version"], (major, minor), found["build"], found["has_jit"]
    )


def bare_environment(**more: str) -> dict[str, str]:
    """Return our environment without what it says to our own Python, and with more.

    A compiler that is built in is off, unless it is more that switches it on.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**ours, "PYTHONNOUSERSITE": "1", "PYTHON_JIT": "0", **more}


def command_of(words: str) -> Command:
    """Return the command that somebody has typed: the path of a Python, or several words."""
    return (words,) if Path(words).is_file() else tuple(shlex.split(words))


def commands() -> Iterator[Command]:
    """Return what may start a Python, in all places that are looked into."""
    names = [*(f"python3.{minor}" for minor in MINORS), *PYPYS]
    # A shim of pyenv takes long, and mostly says that it is not to be used here.
    folders = [folder for folder in os.get_exec_path() if Path(folder).name != "shims"]
    for name in names:
        for folder in folders:
            if found := shutil.which(name, path=folder):
                yield (found,)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for versions in (pyenv / "versions", pyenv / "pyenv-win" / "versions", *_of_uv()):
        for where in (f"bin/python{EXE}", f"python{EXE}"):
            yield from (
                (str(path),) for path in sorted(versions.glob(f"*/{where}"), reverse=True)
            )
    if sys.platform == "win32":
        yield from _listed_by_uv()


def _of_uv() -> list[Path]:
    said = _uv("python", "dir").strip()
    return [Path(said)] if said else []


def _listed_by_uv() -> Iterator[Command]:
    words = "python list --only-installed --no-python-downloads --offline --output-format json"
    with suppress(ValueError):
        yield from ((one["path"],) for one in json.loads(_uv(*words.split())) if one["path"])


def _uv(*words: str) -> str:
    if not UV.exists():
        return ""
    return subprocess.run([UV, *words], capture_output=True, text=True).stdout


def find(
    given: Iterable[Command] = (), places: Iterable[Command] | None = None
) -> list[Python]:
    """Return the Pythons that are compared, the one that runs the kit first.

    Of those with the same name it is the one that was given, or found first. Of the version
    that runs the kit, another build is kept beside it; of CPython with a compiler the newest
    is there twice, without it and with it.

    Args:
        given: commands of Pythons that are elsewhere.
        places: commands that may start one; all that are found on this machine if left out.

    Raises:
        NoPython: one that was given cannot be measured.
    """
    ours = who((sys.executable,))
    found = {ours.name: ours}
    for command in given:
        python = who(command)
        found.setdefault(python.name, python)
    seen = set()
    for command in commands() if places is None else places:
        real = (os.path.realpath(command[0]), *command[1:])
        if real in seen:
            continue
        seen.add(real)
        try:
            python = who(command)
        except NoPython:
            continue
        if python.name.startswith("CPython") and python.minor[1] not in MINORS:
            continue
        if python.name == ours.name and python.build != ours.build:
            python = replace(python, name=f"{ours.name}, another build")
        found.setdefault(python.name, python)
    (*rest,) = sorted((p for p in found.values() if p is not ours), key=_order)
    if able := [python for python in (ours, *rest) if python.has_jit]:
        newest = max(able, key=lambda python: python.minor)
        rest.insert(rest.index(newest) + 1 if newest in rest else 0, newest.with_jit)
    return [ours, *rest]


def _order(python: Python) -> tuple[bool, tuple[int, int], str]:
    return not python.name.startswith("CPython"), python.minor, python.name


def not_found(pythons: Iterable[Python]) -> dict[str, str]:
    """Return which of those that are asked about are not among some, and why."""
    names = [python.name for python in pythons]
    wanted = [*(f"CPython 3.{minor}" for minor in MINORS), "PyPy"]
    missing = {
        each: "there is none on this machine"
        for each in wanted
        if not any(name == each or name.startswith(f"{each} ") for name in names)
    }
    if not any(python.environment for python in pythons):
        missing["CPython with its JIT"] = "no Python on this machine was built with one"
    return missing
