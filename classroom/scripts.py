"""Run a script outside of the notebook: on a loop, in a process, as a program of its own."""

from __future__ import annotations

import inspect
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets

from .paths import ROOT

SECONDS_TO_END = 5  # for a program that has failed, to say why


def on_a_loop(script: Callable[[], object], *, seconds: float = 10.0) -> None:
    """Run a plain function on a new event loop, and the loop until `IOLoop.stop` is called.

    It runs on a thread of its own: a loop already runs on the thread of a notebook.

    Args:
        script: called on the loop; it leaves callbacks and timers behind.
        seconds: stop the loop after this long, whatever happens.

    Raises:
        Exception: whatever the script itself raised. Its callbacks' exceptions go to the log.
        TimeoutError: nothing stopped the loop in time.
        TypeError: it is a coroutine function, of which a call would run nothing.
    """
    if inspect.iscoroutinefunction(script):
        raise TypeError("on_a_loop() needs a plain function, and this one is an `async def`")
    loops: list[IOLoop] = []

    def play() -> None:
        loop = IOLoop(make_current=True)
        loops.append(loop)
        errors: list[Exception] = []

        def first() -> None:
            try:
                script()
            except Exception as error:
                errors.append(error)
                loop.stop()

        def too_long() -> None:
            errors.append(TimeoutError(f"nothing stopped the loop within {seconds:g} seconds"))
            loop.stop()

        loop.add_callback(first)
        loop.call_later(seconds, too_long)
        loop.start()
        loop.close()
        if errors:
            raise errors[0]

    with ThreadPoolExecutor(1, "a loop") as threads:
        try:
            threads.submit(play).result()
        except KeyboardInterrupt:
            # The executor waits for its thread: without this, an interrupted cell would go on
            # until the script ends.
            for loop in loops:
                loop.add_callback(loop.stop)
            raise


def in_a_process(script: str, *, seconds: float = 60.0) -> str:
    """Run a script in a Python process, in the kit's folder, and return what it printed.

    Args:
        script: the source code.
        seconds: end the process after this long.

    Returns:
        What it printed, without the last line's end.

    Raises:
        subprocess.CalledProcessError: it failed; what it said is printed.
        subprocess.TimeoutExpired: it took too long.
    """
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
    )
    if done.returncode:
        print(done.stdout, end="")
    done.check_returncode()
    return done.stdout.strip()


@contextmanager
def as_a_program(script: str, *, port: int = 8889) -> Iterator[str]:
    """Run a script as a program of its own while the block lasts, as in a terminal.

    Args:
        script: the source code. It prints one line when it is ready.
        port: what the script calls its port. It is given a free one in its place.

    Yields:
        What it printed first.

    Raises:
        RuntimeError: it ended before it printed a line; what it said is in the error.
    """
    script = script.replace(str(port), str(free_port()))
    # A warning, which comes first, is not what it says when it is ready.
    with subprocess.Popen(
        [sys.executable, "-P", "-u", "-W", "ignore", "-c", script],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as program:
        assert program.stdout
        try:
            first = program.stdout.readline()
            if not first or "Traceback" in first:
                with suppress(subprocess.TimeoutExpired):
                    program.wait(SECONDS_TO_END)
                program.kill()
                raise RuntimeError(f"the program ended:\n{first}{program.stdout.read()}")
            yield first.strip()
        finally:
            program.kill()


def free_port() -> int:
    """Return a port of those that the system gives to nobody who lets it pick one."""
    while True:
        port = random.randrange(20_000, 30_000)
        with suppress(OSError):
            for probe in bind_sockets(port, "127.0.0.1"):
                probe.close()
            return port
