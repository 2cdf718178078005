"""A program that is forked does as one that is started."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests import quick_start
from tests.quick_start import ignore_ctrl_c

Outcome = tuple[int, str, str]

STARTS: dict[str, Callable[..., subprocess.Popen[str]]] = {
    "started": subprocess.Popen,
    "forked": quick_start.Popen,
}
# What is printed twice would have been in a buffer that was forked.
TELLS = """
import os, sys, tempfile
print(__name__, sys.argv, sys.path[0] == os.getcwd() or not sys.path[0], os.getcwd())
print(tempfile.gettempdir(), os.environ.get("SHELL"), os.getsid(0) == os.getpid())
print(sys.stdin.read(), sys.modules["__main__"].TELLS, file=sys.stderr)
TELLS = None
"""
# What was a file where the fork was made is a pipe now, which nobody can go back in.
STREAMS = """
import sys
sys.stdout.reconfigure(errors="replace")
print([each.seekable() for each in (sys.stdin, sys.stdout, sys.stderr)])
print([each.line_buffering for each in (sys.stdout, sys.stderr)])
"""
PROGRAMS = {
    "what it is told": ["-c", "TELLS = 1" + TELLS, "a word", "--port=0"],
    "its streams": ["-c", STREAMS],
    "a sentence": ["-c", "import sys; sys.exit('no luck')"],
    "a number": ["-c", "import sys; print(1); sys.exit(7)"],
    "an error": ["-c", "import atexit; atexit.register(print, 'the end'); 1 / 0"],
    "an open socket": [
        "-W",
        "default::ResourceWarning",
        "-c",
        "import socket; s = socket.socket()",
    ],
    "a thread": ["-c", "import threading; threading.Timer(0.1, print, ['late']).start()"],
    "a module": ["-m", "json.tool", "--compact"],
    "elsewhere": ["-P", "-m", "stormy_demo.peers", "--help"],
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_does_as_one_that_is_started(name: str, tmp_path: Path) -> None:
    def outcome_of(start: Callable[..., subprocess.Popen[str]]) -> Outcome:
        with start(
            [sys.executable, *PROGRAMS[name]],
            cwd=tmp_path,
            env={"TMPDIR": str(tmp_path), "PYTHONPATH": ""},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as program:
            out, err = program.communicate("[1, 2]", timeout=quick_start.LONG)
        # Where in which file an error was is not the same, nor is the number of a descriptor:
        # ctypes on Debian's Python 3.15 keeps the file of a library open.
        said = (err.splitlines() or [""])[-1].partition(": ")[2]
        return program.returncode, out, re.sub(r"fd=\d+", "fd=", said)

    started, forked = (outcome_of(start) for start in STARTS.values())
    assert forked == started
    assert any(forked)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("how", STARTS)
@pytest.mark.parametrize(
    ("options", "signum", "code"),
    [
        ({}, signal.SIGINT, -signal.SIGINT),
        ({}, signal.SIGTERM, -signal.SIGTERM),
        ({"preexec_fn": ignore_ctrl_c}, signal.SIGINT, 0),
    ],
)
def test_it_is_a_child_and_hears_signals(
    how: str, options: dict[str, Any], signum: signal.Signals, code: int
) -> None:
    command = [sys.executable, "-c", "print('here', flush=True); input()"]
    with STARTS[how](
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        **options,
    ) as program:
        assert program.stdin
        assert program.stdout
        assert program.stdout.readline() == "here\n"
        [child] = [one for one in psutil.Process().children() if one.pid == program.pid]
        is_forked = "tests.quick_start" in child.cmdline()
        assert is_forked == (how == "forked" and quick_start.CAN_FORK)
        program.send_signal(signum)
        if not code:
            program.stdin.write("\n")
            program.stdin.close()
        assert program.wait(quick_start.LONG) == code


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such program")
def test_what_is_no_python_is_started() -> None:
    with quick_start.Popen(["sleep", "0"]) as program:
        pass
    assert program.returncode == 0
