"""A server as a program of its own: started, watched from outside, and ended."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Timer

import psutil  # type: ignore[import-untyped]

# Seconds after which a program that has not said anything is killed.
PATIENCE = 300.0


class NotStarted(Exception):
    """A program that did not begin to listen.

    Args:
        module: what was started.

    Attributes:
        said: the first line that it printed instead, or nothing.
    """

    def __init__(self, module: str, said: str) -> None:
        super().__init__(said or f"{module} did not start")
        self.said = said


class Program:
    """A server that runs, in a process of its own.

    Args:
        pid: its process.
        url: the address on which it listens.
    """

    def __init__(self, pid: int, url: str) -> None:
        self.pid, self.url = pid, url
        self.port = int(url.rpartition(":")[2])
        self.process = psutil.Process(pid)

    def cpu(self) -> float:
        """Return the seconds of processor time that it has used.

        Raises:
            psutil.NoSuchProcess: it has ended.
        """
        return _cpu_of(self.process)

    def whole_cpu(self) -> float:
        """Return the same of it and of all processes that it has started, and that still run.

        Raises:
            psutil.NoSuchProcess: it has ended.
        """
        used = self.cpu()
        for process in self.process.children(recursive=True):
            # One may end while they are counted.
            with suppress(psutil.NoSuchProcess):
                used += _cpu_of(process)
        return used

    def memory(self) -> float:
        """Return how many megabytes it has in memory.

        Raises:
            psutil.NoSuchProcess: it has ended.
        """
        return float(self.process.memory_info().rss / 1e6)


def _cpu_of(process: psutil.Process) -> float:
    if sys.platform == "linux":
        # The clock of another process counts nanoseconds. Everything else that tells its
        # processor time counts in hundredths of a second, which is more than some
        # measurements take. How a PID becomes a clock is fixed by the kernel, and is what
        # clock_getcpuclockid(3) does.
        try:
            return time.clock_gettime((~process.pid << 3) | 2)
        except OSError:
            raise psutil.NoSuchProcess(process.pid) from None
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def program(
    module: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """Run a server as a program, and kill it at the end.

    Args:
        module: what `python -m` runs. Its first line says `listening on`, and the address.
        *arguments: its command line.
        environment: all of its environment variables; those of this process if left out.

    Raises:
        NotStarted: it said something else, or ended.
    """
    with command(
        sys.executable, "-P", "-m", module, *arguments, name=module, environment=environment
    ) as started:
        yield started


@contextmanager
def command(
    *words: str, name: str = "", environment: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """Run a server that is no module of ours, and kill it, and what it started, at the end.

    Args:
        *words: the command. The first line that it prints says `listening on`, and the address.
            It prints little more, since nobody reads that.
        name: how it is called where it does not start.
        environment: all of its environment variables; those of this process if left out.

    Raises:
        NotStarted: it said something else, or ended, or said nothing for five minutes.
        OSError: there is no such command.
    """
    with subprocess.Popen(
        words,
        env=environment,
        # Ours alone: a program that reads it learns from its end that this process has ended.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout
        give_up = Timer(PATIENCE, server.kill)
        give_up.daemon = True
        try:
            give_up.start()
            said = server.stdout.readline().strip()
            give_up.cancel()
            if not said.startswith("listening on "):
                raise NotStarted(name or words[0], said)
            yield Program(server.pid, said.split()[2])
        finally:
            give_up.cancel()
            children = []
            with suppress(psutil.NoSuchProcess):
                children = psutil.Process(server.pid).children(recursive=True)
            server.kill()
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
