"""Children that examine answers, forked from a process that has imported all they need.

A check starts a Python for each answer, and that imports Tornado. For some hundred answers this
is more work than the answers are. So here one process imports it once, and forks.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from types import SimpleNamespace
from typing import IO, Any

from classroom.examining import parent
from tests.paths import ROOT

MODULE = "classroom.examining.child"
MOST = 1 << 18  # bytes of a message
STEP = 0.5  # seconds


class Child:
    """What `subprocess.Popen` would be of a process that another one has forked."""

    def __init__(self, pid: int, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self.pid, self.stdin, self.stdout = pid, stdin, stdout
        self.code = 0
        self.ended = threading.Event()

    def wait(self, timeout: float | None = None) -> int:
        # In longer steps than are asked for: after each, somebody looks at all threads of the
        # child, and with hundreds of children that was a tenth of the work.
        if not self.ended.wait(timeout and max(timeout, STEP)):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return self.code

    def send_signal(self, signum: int) -> None:
        os.kill(self.pid, signum)


class Forks:
    """The process that forks; `start` takes the place of `Popen`."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket, self.one_by_one = ours, threading.Lock()
        self.known = threading.Condition()
        self.children: dict[int, Child] = {}
        self.codes: dict[int, int] = {}
        self.pids: list[int] = []
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
                cwd=ROOT,
                env={
                    **os.environ,
                    "PYTHONUTF8": "1",
                    # Read where a Python starts, and so the same for all, see `parent`.
                    "PYTHONUNBUFFERED": "",
                    "MALLOC_ARENA_MAX": "1",
                },
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self.listener = threading.Thread(target=self.listen, name="forks", daemon=True)
        self.listener.start()

    def start(
        self, command: list[Any], *, cwd: str, env: dict[str, str], **_others: Any
    ) -> Child:
        *_, module, name, file = map(str, command)
        assert module == MODULE
        stdin, to_child = os.pipe()
        from_child, stdout = os.pipe()
        message = json.dumps({"arguments": [name, file], "cwd": cwd, "env": env}).encode()
        with self.one_by_one:
            socket.send_fds(self.socket, [message], [stdin, stdout])
            with self.known:
                self.known.wait_for(lambda: self.pids)
                pid = self.pids.pop()
                child = Child(pid, os.fdopen(to_child, "wb"), os.fdopen(from_child, "rb"))
                self.children[pid] = child
                self.tell_the_end()
        os.close(stdin)
        os.close(stdout)
        return child

    def listen(self) -> None:
        while message := self.socket.recv(MOST):
            pid, code = json.loads(message)
            with self.known:
                if code is None:
                    self.pids.append(pid)
                else:
                    self.codes[pid] = code
                self.tell_the_end()
                self.known.notify_all()

    def tell_the_end(self) -> None:
        for pid in [*self.codes]:
            if child := self.children.pop(pid, None):
                child.code = self.codes.pop(pid)
                child.ended.set()

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.listener.join()
        self.socket.close()
        self.process.wait()


@contextmanager
def keeping_forks() -> Iterator[Forks | None]:
    """Keep the process that forks as long as the block lasts, where that can be done.

    Not while the children's lines are counted: that begins as a Python does.
    """
    if sys.platform != "linux" or "COVERAGE_PROCESS_CONFIG" in os.environ:
        yield None
        return
    with closing(Forks()) as forks:
        yield forks


@contextmanager
def forked_by(forks: Forks | None) -> Iterator[None]:
    """Have children forked as long as the block lasts, if there is who forks them."""
    if forks is None:
        yield
        return
    names = vars(parent)
    before = names["subprocess"]
    # Whoever else starts processes meanwhile gets ordinary ones.
    names["subprocess"] = SimpleNamespace(**{**vars(subprocess), "Popen": forks.start})
    try:
        yield
    finally:
        names["subprocess"] = before


@contextmanager
def forked() -> Iterator[None]:
    """Have children forked as long as the block lasts, where that can be done."""
    with keeping_forks() as forks, forked_by(forks):
        yield


# -- the process that forks --------------------------------------------------------------------


def main() -> None:
    from classroom.catalogue import every
    from classroom.examining import child

    every()
    control = socket.socket(fileno=int(sys.argv[1]))
    while True:
        if select.select([control], [], [], 0.02)[0]:
            message, fds, _, _ = socket.recv_fds(control, MOST, 2)
            if not message:
                break
            pid = os.fork()
            if not pid:
                control.close()
                be_a_child(child.main, fds, **json.loads(message))
            for fd in fds:
                os.close(fd)
            control.send(json.dumps([pid, None]).encode())
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                code = os.waitstatus_to_exitcode(ended[1])
                control.send(json.dumps([ended[0], code]).encode())


def be_a_child(
    run: Any, fds: list[int], arguments: list[str], cwd: str, env: dict[str, str]
) -> None:
    """Do what a Python does that is started for one answer, and end as it does."""
    code = 0
    try:
        os.setsid()
        os.chdir(cwd)
        stdin, stdout = fds
        for fd, copies in ((stdin, [0]), (stdout, [1, 2])):
            for copy in copies:
                os.dup2(fd, copy)
            os.close(fd)
        os.environ.clear()
        os.environ.update(env)
        sys.argv[1:] = arguments
        run()
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
