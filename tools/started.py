"""A module of the kit, started so that Ctrl-C in its first moments needs no traceback.

    python -m tools.started MODULE [ARGUMENTS]

What it imports takes longer than a person to think better of it. A signal that comes before
this runs is held back, by whoever starts it, until it does. Standard library only.
"""

from __future__ import annotations

import runpy
import signal
import sys
from pathlib import Path
from types import TracebackType

# Exit codes of a Python that Ctrl-C has ended: as POSIX tells it, and as Windows does.
INTERRUPTED = (-signal.SIGINT, 0xC000013A)
HELD = {signal.SIGINT, signal.SIGTERM}


def command(python: Path | str, module: str, *arguments: str) -> list[str]:
    """Return how a module is started while signals are held back.

    Args:
        python: on which Python.
        module: its name.
        *arguments: what it is given.
    """
    # -P: what lies in the folder of the kit is not taken for a library.
    return [str(python), "-P", "-m", "tools.started", module, *arguments]


def hold_signals() -> None:
    """Hold back what would end this process, and whatever it starts from here on."""
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD)


def let_signals_come() -> None:
    """Let them come, and those that have been held back."""
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)


def tell(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
    """Print what ends this process, unless it is Ctrl-C: who started it has a word for that."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, at)


if __name__ == "__main__":
    sys.excepthook = tell
    let_signals_come()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
