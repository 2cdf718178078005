"""The Tornado that each Python gets: alone in a folder, which is put on its path.

One wheel of Tornado serves every Python from 3.9 on. What is compiled in it masks WebSockets,
and is passed over where it does not fit, as on PyPy. So the folder is that of an environment of
the Python which runs the kit, and no other Python needs an installer.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from benchmarks._shared.environments import environment
from benchmarks._shared.paths import BENCHMARKS

from .finding import bare_environment

HERE = BENCHMARKS / "_pythons"
WHERE = "import sysconfig, tornado; print(tornado.version, sysconfig.get_path('purelib'))"


@dataclass(frozen=True)
class Tornado:
    """A Tornado in a folder.

    Attributes:
        version: which.
        folder: what a Python needs on its path.
    """

    version: str
    folder: str


def newest() -> Tornado:
    """Return the one that the kit teaches; it needs Python 3.11.

    Raises:
        NoEnvironment: it cannot be had here.
    """
    return _tornado("pythons", "tornado.lock")


def older() -> Tornado:
    """Return the newest one for Python 3.9.

    Raises:
        NoEnvironment: it cannot be had here.
    """
    return _tornado("pythons_3_9", "tornado_3_9.lock")


def _tornado(name: str, lock: str) -> Tornado:
    python = environment(name, HERE / lock)
    said = subprocess.run(
        [python, "-c", WHERE],
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    version, _, folder = said.strip().partition(" ")
    return Tornado(version, folder)
