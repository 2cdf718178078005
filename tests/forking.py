"""Programs that run in a process forked from one that has imported most of what they need.

A Python that imports Tornado takes longer to start than most of what a test has it do. This one
starts once for all tests of a file, and forks for each. What the start of a Python does itself,
such as to read its options, is tried with Pythons of their own.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from tests.paths import ROOT

MOST = 1 << 18  # bytes of a message


class Run(Protocol):
    """Runs a program to its end."""

    def __call__(
        self, module: str, words: Sequence[str], cwd: Path, env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a module as `python -m` does.

        Args:
            module: its name.
            words: its command line.
            cwd: the folder in which it runs, where Python looks first for what it imports.
            env: its environment; `PYTHONPATH` names the checkout.

        Returns:
            How it ended, and what it wrote.
        """
        ...


def started(
    module: str, words: Sequence[str], cwd: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run it in a Python of its own, see `Run`."""
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)


@contextmanager
def forking(*modules: str) -> Iterator[Run]:
    """Have programs forked as long as the block lasts, where that can be done.

    Not while their lines are counted: that begins as a Python does.

    Args:
        *modules: what to import once for all of them.
    """
    if sys.platform != "linux" or "COVERAGE_PROCESS_CONFIG" in os.environ:
        yield started
        return
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno()), *modules],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )

    def forked(
        module: str, words: Sequence[str], cwd: Path, env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        assert env["PYTHONPATH"] == str(ROOT)
        message = json.dumps([module, words, str(cwd), dict(env)]).encode()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            socket.send_fds(ours, [message], [out.fileno(), err.fileno()])
            code = json.loads(ours.recv(MOST))
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode())
        return subprocess.CompletedProcess([module, *words], code, *texts)

    try:
        yield forked
    finally:
        ours.close()
        process.wait()


# -- the process that forks --------------------------------------------------------------------


def main() -> None:
    """Fork for each message, and answer with the exit code."""
    control = socket.socket(fileno=int(sys.argv[1]))
    for name in sys.argv[2:]:
        importlib.import_module(name)
    # What is here already never becomes garbage, and to look at it would copy it.
    gc.collect()
    gc.freeze()
    while True:
        message, fds, _, _ = socket.recv_fds(control, MOST, 2)
        if not message:
            return
        pid = os.fork()
        if not pid:
            control.close()
            be(fds, *json.loads(message))
        for fd in fds:
            os.close(fd)
        _, status = os.waitpid(pid, 0)
        control.send(json.dumps(os.waitstatus_to_exitcode(status)).encode())


def be(fds: list[int], module: str, words: list[str], cwd: str, env: dict[str, str]) -> None:
    """Do what `python -m` does, and end as it does."""
    code = 0
    try:
        os.chdir(cwd)
        for fd, copy in zip(fds, (1, 2), strict=True):
            os.dup2(fd, copy)
            os.close(fd)
        os.environ.clear()
        os.environ.update(env)
        sys.path[0] = cwd
        sys.argv[1:] = words
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        with suppress(Exception):
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code & 0xFF)


if __name__ == "__main__":
    main()
