"""Programs that need not import again what another one has imported.

A Python that imports Tornado takes ten times as long to start as what most tests have it do. So
one process imports what others have written, and forks for each program. Of ours it knows
nothing: each program imports that itself, and ends as a Python ends, with all its clearing up.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import ctypes
import functools
import gc
import importlib
import inspect
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import types
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.paths import ROOT

# Not while lines are counted: that begins as a Python does.
CAN_FORK = sys.platform == "linux" and "COVERAGE_PROCESS_CONFIG" not in os.environ
MOST = 1 << 18  # bytes of a message
PR_SET_CHILD_SUBREAPER = 36
# What most servers here need.
ALWAYS = (
    *("tornado.web", "tornado.httpserver", "tornado.websocket", "tornado.simple_httpclient"),
    "requests",
)
# Seconds that no machine is too busy for.
LONG = 500.0


def ignore_ctrl_c() -> None:
    """Be in the background of a shell, where nobody can press Ctrl-C: for `preexec_fn`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Popen(subprocess.Popen[str]):
    """As `subprocess.Popen`, but a Python that runs a module, or code, is forked.

    It is a child of this process all the same. Whatever else is to be started is started, and
    where it cannot be forked, so is a Python.

    Args:
        *args: as they are there.
        knows: what others have written, and the program imports; or nothing, if it is to be a
            Python of its own.
        **options: as they are there.
    """

    def __init__(self, *args: Any, knows: Sequence[str] | None = (), **options: Any) -> None:
        self.knows = None if knows is None else [*ALWAYS, *knows]
        super().__init__(*args, **options)

    def _execute_child(self, *arguments: Any) -> None:
        # There is no other place between the pipes, which are made, and the process.
        start: Any = super()._execute_child  # type: ignore[misc]
        said = inspect.signature(start).bind(*arguments).arguments
        what = program_of(said)
        if what is None or self.knows is None:
            start(*arguments)
            return
        what["knows"] = self.knows
        # Where nothing else is said, they are those of this process.
        ends = [said["p2cread"], said["c2pwrite"], said["errwrite"]]
        fds = [end if end >= 0 else own for own, end in enumerate(ends)]
        self.pid = forks().fork(what, fds)
        self._child_created = True
        self._close_pipe_fds(  # type: ignore[attr-defined]
            *(said[end] for end in ("p2cread", "p2cwrite")),
            *(said[end] for end in ("c2pread", "c2pwrite")),
            *(said[end] for end in ("errread", "errwrite")),
        )


def run(
    words: Sequence[str],
    *,
    knows: Sequence[str] | None = (),
    timeout: float = LONG,
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, as `subprocess.run` does, and return what it said.

    Args:
        words: the command.
        knows: see `Popen`.
        timeout: for how many seconds it may run.
        **options: as they are there.
    """
    if options.pop("capture_output", False):
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Popen(words, knows=knows, **options) as program:
        try:
            said = program.communicate(timeout=timeout)
        finally:
            program.kill()
    return subprocess.CompletedProcess(words, program.returncode, *said)


def program_of(said: dict[str, Any]) -> dict[str, Any] | None:
    """Return what is to be run, or nothing if it is not to be forked.

    Args:
        said: the arguments of `_execute_child`, by their names.
    """
    words = said["args"]
    if not CAN_FORK or isinstance(words, (str, bytes, os.PathLike)):
        return None
    python, *words = [os.fspath(word) for word in words]
    warned = []
    while words[:1] == ["-W"]:
        _, option, *words = words
        warned.append(option)
    is_safe = words[:1] == ["-P"]
    how, what, *words = [*words[is_safe:], "", ""]
    if python != sys.executable or how not in ("-m", "-c") or said["pass_fds"]:
        return None
    if said["preexec_fn"] not in (None, ignore_ctrl_c):
        return None
    return {
        "how": how,
        "what": what,
        "words": words[:-2],
        "folder": os.fspath(said["cwd"] or Path.cwd()),
        "is_safe": is_safe,
        "warned": warned,
        "environment": dict(os.environ if said["env"] is None else said["env"]),
        "in_background": said["preexec_fn"] is ignore_ctrl_c,
        "new_session": said["start_new_session"],
    }


class Forks:
    """The process that forks, which ends with this one."""

    def __init__(self) -> None:
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.one_by_one = threading.Lock()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                # Ctrl-C is for who runs the tests, and they end this.
                start_new_session=True,
            )

    def fork(self, program: dict[str, Any], fds: Sequence[int]) -> int:
        """Fork for a program, which becomes a child of this process, and return its number."""
        with self.one_by_one, adopting():
            socket.send_fds(self.socket, [json.dumps(program).encode()], fds)
            return int(self.socket.recv(MOST))

    def close(self) -> None:
        """Fork no more; what was forked goes on."""
        self.socket.close()
        self.process.wait()


@functools.cache
def forks() -> Forks:
    """Return the process that forks, which is started when it is first asked."""
    started = Forks()
    atexit.register(started.close)
    return started


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Become the parent of whatever loses its own meanwhile, and descends from this process."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


# -- the process that forks --------------------------------------------------------------------


def next_program(control: socket.socket) -> dict[str, Any] | None:
    """Fork for each message, and tell the number.

    Returns:
        In each process that was forked: what is to be run. In this one nothing, at its end.
    """
    while True:
        message, fds, _, _ = socket.recv_fds(control, MOST, 3)
        if not message:
            return None
        program: dict[str, Any] = json.loads(message)
        for name in program["knows"]:
            # What is not installed is told by the program.
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        # What is here already never becomes garbage, and to look at it would copy it.
        gc.collect()
        gc.freeze()
        told, tell = os.pipe()
        # The one in between ends, and so the program goes to who wanted it.
        between = os.fork()
        if not between:
            number = os.fork()
            if number:
                os.write(tell, str(number).encode())
                os._exit(0)
            control.close()
            for fd in (told, tell):
                os.close(fd)
            become(program, fds)
            return program
        # Not told before: it is nobody's child until then.
        os.waitpid(between, 0)
        control.send(os.read(told, 100))
        for fd in (told, tell, *fds):
            os.close(fd)


def become(program: dict[str, Any], fds: Sequence[int]) -> None:
    """Have what a process has that was started for this program."""
    if program["new_session"]:
        os.setsid()
    if program["in_background"]:
        ignore_ctrl_c()
    for own, fd in enumerate(fds):
        os.dup2(fd, own)
        os.close(fd)
        open_again(own)
    os.environ.clear()
    os.environ.update(program["environment"])
    tempfile.tempdir = None
    os.chdir(program["folder"])
    sys.path[:1] = [] if program["is_safe"] else [program["folder"]]
    sys.warnoptions[:] = program["warned"]
    for option in program["warned"]:
        action, _, category = option.split(":")
        warnings.simplefilter(action, getattr(builtins, category))  # type: ignore[arg-type]


def open_again(own: int) -> None:
    """Have a standard stream know what its end is now; before, it may have been a file."""
    name = ("stdin", "stdout", "stderr")[own]
    before = getattr(sys, name)
    # What complains does so line by line.
    stream = open(  # noqa: SIM115
        own,
        "w" if own else "r",
        buffering=1 if own == 2 else -1,
        encoding=before.encoding,
        errors=before.errors,
        closefd=False,
    )
    setattr(sys, name, stream)
    setattr(sys, f"__{name}__", stream)


def be(how: str, what: str, words: Sequence[str]) -> None:
    """Do what a Python does with these words on its command line."""
    if how == "-m":
        sys.argv[1:] = words
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.argv[:] = ["-c", *words]
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(what, "<string>", "exec"), vars(main))


if __name__ == "__main__":
    if program := next_program(socket.socket(fileno=int(sys.argv[1]))):
        be(program["how"], program["what"], program["words"])
