"""Where people get the kit: one address, kept in pyproject.toml and told in the papers.

    python3 -m tools.address [ADDRESS]

With the address of another repository, each place is changed to it; without, they are listed.
Standard library only.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tools.paths import ROOT

# What may tell it. Pages are made from these, and take it from pyproject.toml.
PLACES = ("pyproject.toml", "*.md", "notebooks/*.md", "slides/*.md", "slides/*.ipynb")
REPOSITORY = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?")


def address() -> str:
    """Return the address of the repository that people clone, as pyproject.toml has it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["urls"]["Repository"])


def slug(url: str) -> str:
    """Return what is a repository's own in its address, OWNER/NAME.

    Raises:
        ValueError: it is not the address of a repository on GitHub.
    """
    found = REPOSITORY.fullmatch(url)
    if not found:
        raise ValueError(
            f"{url} is not like https://github.com/OWNER/NAME: the zip, Binder, the codespace "
            "and CI of this kit are told as GitHub has them; elsewhere, change them by hand."
        )
    return found[1]


def places(told: str) -> Iterator[tuple[Path, int]]:
    """Yield each file and line that names a repository.

    Args:
        told: its OWNER/NAME.
    """
    for path in sorted(path for place in PLACES for path in ROOT.glob(place)):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if naming(told).search(line):
                yield path, number


def naming(told: str) -> re.Pattern[str]:
    """Return what finds OWNER/NAME, where it is not a part of a longer name."""
    return re.compile(rf"(?<![\w.-]){re.escape(told)}(?![\w-])")


def move(old: str, new: str) -> None:
    """Change each place from one OWNER/NAME to another; line endings stay as they are."""
    for path in {path for path, _ in places(old)}:
        text = path.read_bytes().decode()
        path.write_bytes(naming(old).sub(new, text).encode())


def main() -> None:
    """Change the address, or list where it is told."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.address", description=__doc__)
    parser.add_argument("address", nargs="?", help="such as https://github.com/OWNER/NAME")
    wanted = parser.parse_args().address or address()
    try:
        new = slug(wanted)
    except ValueError as mistake:
        sys.exit(f"tools.address: {mistake}")
    move(slug(address()), new)
    print(f"https://github.com/{new} is told in:")
    for path, number in places(new):
        print(f"  {path.relative_to(ROOT).as_posix()}:{number}")


if __name__ == "__main__":
    main()
