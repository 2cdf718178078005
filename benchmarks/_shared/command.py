"""How a benchmark is started."""

from __future__ import annotations

import argparse
import signal
import sys


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser of a benchmark's command line, without any options yet.

    Args:
        name: the benchmark.
        description: the docstring of its module, which is shown as it is written.
    """
    return argparse.ArgumentParser(
        prog=f"workshop.py bench {name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def end_when_told() -> None:
    """From now on, end by SIGTERM as by an error, with all servers that were started.

    By itself it would end this process at once, and leave them behind.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def one_or_more(words: str) -> int:
    """Return the number that an option was given; `argparse` tells what is none.

    Raises:
        argparse.ArgumentTypeError: it is no whole number, or below one.
    """
    return _from(1, words)


def two_or_more(words: str) -> int:
    """Return the number that an option was given, as `one_or_more` does.

    Raises:
        argparse.ArgumentTypeError: it is no whole number, or below two.
    """
    return _from(2, words)


def _from(least: int, words: str) -> int:
    if not words.isdecimal() or int(words) < least:
        raise argparse.ArgumentTypeError(f"{words!r} is no whole number from {least} on")
    return int(words)
