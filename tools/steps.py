"""The steps of set-up: programs that say nothing, unless they fail."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.paths import LOG, ROOT

Command = Sequence[str | Path]
# What an installer is told: with hashes, and nothing is built.
STRICTLY = ("--require-hashes", "--no-deps", "--only-binary=:all:")


def quietly(command: Command, env: Mapping[str, str] | None = None) -> tuple[bool, str]:
    """Run one step of set-up, in the folder of the kit; all it says is kept in the log.

    Args:
        command: the program, and its arguments.
        env: its environment, where that is not this one.

    Returns:
        whether it succeeded, and all that it said.
    """
    try:
        done = subprocess.run(
            command,
            env=env,
            cwd=ROOT,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as problem:
        return False, str(problem)
    with contextlib.suppress(OSError), LOG.open("a", encoding="utf-8", errors="replace") as log:
        log.write(f"$ {' '.join(map(str, command))}\n{done.stdout}\n")
    return done.returncode == 0, done.stdout


def write(path: Path, text: str) -> None:
    """Write a small file of `.venv`, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8", errors="surrogateescape")
