"""The steps of set-up: programs that say nothing, unless they fail, or take long."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.paths import LOG, ROOT

Command = Sequence[str | Path]
# What an installer is told: with hashes, and nothing is built.
STRICTLY = ("--require-hashes", "--no-deps", "--only-binary=:all:")
PATIENCE = 10  # seconds until a person wonders whether anything happens
# Seconds in which a step ends that was told of Ctrl-C too; and then one that is told now.
PARTING, GRACE = 2, 20


def quietly(command: Command, env: Mapping[str, str] | None = None) -> tuple[bool, str]:
    """Run one step of set-up, in the folder of the kit; all it says is kept in the log.

    A step that takes long, as on a bad network, is told of after 10 seconds, 20, 40, and so on.

    Args:
        command: the program, and its arguments.
        env: its environment, where that is not this one.

    Returns:
        whether it succeeded, and all that it said.
    """
    try:
        step = subprocess.Popen(
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
    with step:
        try:
            said = patiently(step)
        except BaseException:
            end(step)
            raise
    with contextlib.suppress(OSError), LOG.open("a", encoding="utf-8", errors="replace") as log:
        log.write(f"$ {' '.join(map(str, command))}\n{said}\n")
    return step.returncode == 0, said


def end(step: subprocess.Popen[str]) -> None:
    """End a step, and let it end first what it has started itself."""
    try:
        # Ctrl-C in a terminal has reached it too. A program's stop button has not, and a step
        # that is told twice has no time.
        with contextlib.suppress(subprocess.TimeoutExpired):
            step.communicate(timeout=PARTING)
            return
        if sys.platform != "win32":
            step.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                step.communicate(timeout=GRACE)
    finally:
        if step.poll() is None:
            step.kill()


def patiently(step: subprocess.Popen[str]) -> str:
    """Wait until a step ends, say now and then that it goes on, and return what it said."""
    waited, more = 0, PATIENCE
    while True:
        try:
            return step.communicate(timeout=more)[0]
        except subprocess.TimeoutExpired:
            waited += more
            print(
                f"Still at work after {waited} s: a slow network or machine may take long ..."
            )
            more = waited


def write(path: Path, text: str) -> None:
    """Write a small file of `.venv`, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8", errors="surrogateescape")
