"""How a benchmark is started."""

from __future__ import annotations

import argparse


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
