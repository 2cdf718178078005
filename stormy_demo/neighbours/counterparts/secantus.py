"""A server that speaks MongoDB's protocol, of one's own, for as long as somebody needs it.

SecantusDB is that server. A process of its own starts it, and ends it when its standard input
ends. That is the reading end of a pipe: when nobody has the other end open any more, because
all have closed it or are dead, however they died, the server ends and its folder is gone. Who
kills the process between the two with SIGKILL has to end the server by hand.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

# There is no wheel for Python 3.14 and later, and none for Macs with an Intel processor.
HAS_MONGO = find_spec("secantus") is not None and find_spec("pymongo") is not None

# Seconds. It takes two, and more where many others are at work.
LONGEST_START = 120.0


class NoMongo(Exception):
    """There is no such server for this Python, or it did not start."""


@contextmanager
def secantus() -> Iterator[str]:
    """Run a server with an empty database, for as long as the block lasts.

    It listens on 127.0.0.1, at a port that the system picks. To start it takes seconds.

    Yields:
        Its address, such as "mongodb://127.0.0.1:40123".

    Raises:
        NoMongo: there is none for this Python, or it did not start.
    """
    with subprocess.Popen(
        # By its file, and `-P` keeps the folder of this file out of its path. A Ctrl-C in the
        # terminal comes to a session: this one ends when it is not needed, and not before.
        [sys.executable, "-P", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as keeper:
        assert keeper.stdin and keeper.stdout
        # It may start, and never say where it listens.
        timer = threading.Timer(LONGEST_START, keeper.stdin.close)
        timer.start()
        try:
            said = keeper.stdout.readline().strip()
        finally:
            # Ctrl-C may come here, and a program ends when all of its timers have.
            timer.cancel()
        if not said.startswith("mongodb://"):
            raise NoMongo(said or "SecantusDB did not start")
        # Leaving the block closes the pipe, and waits.
        yield said


def main() -> int:
    """Run the server until the standard input ends; print where it is, or why it is not."""
    for name in ("SIGHUP", "SIGINT", "SIGTERM"):
        # By itself, such a signal would leave the server behind. Windows lacks the first.
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: sys.exit())
    with (
        tempfile.TemporaryDirectory(prefix="secantus-", ignore_cleanup_errors=True) as folder,
        started(Path(folder)) as server,
    ):
        try:
            # In a thread, so that the end of the input is noticed while the server starts.
            threading.Thread(target=tell, args=(server,), daemon=True).start()
            sys.stdin.read()
        finally:
            # Asked to end, it would take two seconds to leave everything in order.
            server.kill()
    return 0


def started(folder: Path) -> subprocess.Popen[str]:
    """Start the server.

    Args:
        folder: an empty one, where it keeps all.
    """
    # Otherwise it reads what somebody has in a home directory.
    settings = folder / "settings.toml"
    settings.touch()
    return subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "secantus", "--config", str(settings)),
            *("--host", "127.0.0.1", "--port", "0", "--storage-path", ":memory:"),
        ],
        cwd=folder,
        # What is called memory there is a folder for what is temporary.
        env={**os.environ, "TMPDIR": str(folder), "TMP": str(folder), "TEMP": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def tell(server: subprocess.Popen[str]) -> None:
    """Print where the server listens; if it ends before that, the last that it said.

    Args:
        server: the process, whose log is read to its end, so that it never waits for a reader.
    """
    assert server.stderr
    found = None
    line = ""
    with suppress(OSError, ValueError):
        for line in server.stderr:
            if not found and (found := re.search(r"listening on (127\.0\.0\.1:\d+)$", line)):
                say(f"mongodb://{found[1]}")
        if not found:
            say(line.strip())


def say(line: str) -> None:
    """Write a line at once, if there is still somebody who reads it.

    What nobody reads would stay in the buffer of `print`, and fail again at the end.
    """
    with suppress(OSError):
        os.write(1, f"{line}\n".encode(sys.stdout.encoding, "replace"))


if __name__ == "__main__":
    sys.exit(main())
