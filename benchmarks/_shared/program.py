"""A server under test as a program: started, watched from outside, and ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]

if sys.platform != "win32":
    import resource

SERVERS = Path(__file__).parents[1] / "_clients" / "servers.py"


class LeftOut(Exception):
    """A mode that this machine cannot run, with the reason."""


class Program:
    """A server that runs, in a process of its own."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid, self.port = pid, port
        self.process = psutil.Process(pid)

    def cpu(self) -> float:
        """Return the seconds of processor time that it has used."""
        if sys.platform == "linux":
            # This clock counts nanoseconds; everything else counts in hundredths of a second,
            # which is more than some measurements take.
            return time.clock_gettime((~self.pid << 3) | 2)
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> float:
        """Return how many megabytes it has in memory."""
        return float(self.process.memory_info().rss / 1e6)


# What a service finds in its environment. For each call requests reads all that there is, so it
# has to be the same everywhere; and there is no proxy among it.
ENVIRONMENT = ("HOME", "LANG", "LOGNAME", "PATH", "PWD", "SHELL", "SYSTEMROOT", "TZ", "USER")


@contextmanager
def program(mode: str, upstream: str) -> Iterator[Program]:
    """Run the server of a mode.

    Raises:
        LeftOut: it needs something that is not installed.
    """
    environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    with subprocess.Popen(
        [sys.executable, SERVERS, mode, "--upstream", upstream, "--end-with-stdin"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout
        try:
            said = server.stdout.readline().strip()
            if not said.startswith("listening"):
                raise LeftOut(said or f"{mode} did not start")
            yield Program(server.pid, int(said.rpartition(":")[2]))
        finally:
            server.kill()


def descriptors() -> int:
    """Let this process, and those it starts, open as much as may be, and return how much."""
    if sys.platform == "win32":
        return 500  # select() takes no more
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems have no limit here, and yet refuse to be told so.
    for wanted in (hard, 65536, 10240):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            continue
        soft = wanted
        break
    return 65536 if soft == resource.RLIM_INFINITY else soft
