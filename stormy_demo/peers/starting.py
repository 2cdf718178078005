"""How a peer is started as a program: its options, what it says first, and how it ends."""

from __future__ import annotations

import _thread
import argparse
import asyncio
import importlib.util
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from loopfilm import LOCALHOST

from ..taken import way_out, why

# How many connections may wait to be accepted: as many as visitors come at once, and more.
BACKLOG = 1024
# How many questions a server may have under way at its backend.
MOST_ASKED = 1000
# Seconds that a backend has to answer: as many as Tornado's clients give it.
PATIENCE = 20.0
# Turns of the loop in which whoever has come is let in, or else nobody would close that socket.
TURNS = 20


def options(about: str | None) -> argparse.ArgumentParser:
    """Return a parser of what all take: `--port`, `--upstream`, and `--end-with-stdin`.

    Args:
        about: the docstring of the program.
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=port, default=8888, help="0 lets the system pick")
    parser.add_argument(
        "--upstream",
        default="",
        metavar="URL",
        help="address of the backend that /resource asks, such as http://127.0.0.1:8901",
    )
    parser.add_argument("--end-with-stdin", action=EndWithStdin, help="end when stdin does")
    return parser


class EndWithStdin(argparse.Action):
    """An option: end this process when the one at the other end of its stdin has ended.

    Whoever is killed says nothing, but the system closes what it had open.
    """

    def __init__(self, option_strings: list[str], dest: str, **more: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, **more)

    def __call__(self, *_: object) -> None:
        """Watch from now on."""
        _thread.start_new_thread(_wait_for_the_end_of_stdin, ())


def _wait_for_the_end_of_stdin() -> None:
    while os.read(0, 1):
        pass
    # Who has never imported it has started no processes with it.
    if started := sys.modules.get("multiprocessing"):
        for child in started.active_children():
            child.kill()
    os._exit(0)


def port(words: str) -> int:
    """Return the port that an option names.

    Raises:
        argparse.ArgumentTypeError: there is no such port.
    """
    if not words.isdecimal() or int(words) > 65535:
        raise argparse.ArgumentTypeError(f"{words!r} is no port: they go from 0 to 65535")
    return int(words)


def one_or_more(words: str) -> int:
    """Return the number that an option was given.

    Raises:
        argparse.ArgumentTypeError: it is no whole number, or below one.
    """
    if not words.isdecimal() or int(words) < 1:
        raise argparse.ArgumentTypeError(f"{words!r} is no whole number from 1 on")
    return int(words)


def need(*packages: str) -> None:
    """End the program, in a sentence, when a package that it wants is not installed.

    Whoever started it reads its first line, so the sentence goes where "listening on" would.

    Args:
        *packages: the names under which they are imported.

    Raises:
        SystemExit: one is not there; the status is 1.
    """
    for package in packages:
        if not importlib.util.find_spec(package):
            print(f"{package} is not installed", flush=True)
            sys.exit(1)


def listen(port: int) -> socket.socket:
    """Return a socket that listens on this machine alone.

    Args:
        port: 0 lets the system pick.

    Raises:
        SystemExit: the port is taken, or not ours; the status is 1.
    """
    try:
        listener = socket.create_server((LOCALHOST, port), backlog=BACKLOG)
    except OSError as error:
        sys.exit(f"cannot listen on port {port}: {why(error)}{way_out(error, port)}")
    listener.setblocking(False)
    return listener


def announce(port: int) -> None:
    """Say where it listens."""
    print(f"listening on http://{LOCALHOST}:{port} (Ctrl-C stops)", flush=True)


async def told_to_stop() -> None:
    """Wait for Ctrl-C or SIGTERM, which interrupt nothing else."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    # Plain signal handlers, since asyncio's own do not exist on Windows.
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: loop.call_soon_threadsafe(told.set))
    await told.wait()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    print("stopped", flush=True)


def until_stopped(serve: Callable[[], object]) -> None:
    """Serve, without a loop of asyncio's, until Ctrl-C or SIGTERM, and end without a traceback.

    Args:
        serve: serves, and does not return before.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Some raise it, and some have seen to it, and return.
    with suppress(KeyboardInterrupt):
        serve()
    print("stopped", flush=True)
