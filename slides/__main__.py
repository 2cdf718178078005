"""Build the deck, and look at it: `python3 workshop.py slides [--output PATH]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from slides import deck


def main(argv: list[str] | None = None) -> int:
    """Build what was asked for and say where it is; 1 if that cannot be."""
    parser = argparse.ArgumentParser(prog="workshop.py slides", description="Make the deck.")
    parser.add_argument("--output", type=Path, default=deck.DECK, metavar="PATH")
    arguments = parser.parse_args(argv)
    try:
        made = deck.build(output=arguments.output)
    except (deck.CannotBuild, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    size = made.stat().st_size / 1000
    print(f"{made} ({size:.0f} kB): open it in a browser; S shows the notes.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
