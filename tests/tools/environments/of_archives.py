"""The kit as people get it who have no git."""

from __future__ import annotations

from .row import Place, Row
from .starting import LAB


def unzip(place: Place) -> None:
    """Leave what a program for archives may leave: no mode, and line ends of Windows."""
    for path in place.house.rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            data = path.read_bytes()
            if b"\0" not in data:
                path.write_bytes(data.replace(b"\n", b"\r\n"))


def written_to_by_a_mac(place: Place) -> None:
    """Leave what a Mac leaves on a stick: a file beside each, and one in each folder."""
    files = [path for path in place.house.rglob("*") if ".venv" not in path.parts]
    for path in files:
        if path.is_dir():
            place.write(path / ".DS_Store", b"\0\0\0\1Bud1\xff")
        elif not path.name.startswith("."):
            place.write(path.with_name(f"._{path.name}"), b"\0\5\x16\7Mac OS X\xff\xfe")


ROWS = [
    Row(
        what="the zip, unpacked with the line ends of Windows and nothing executable",
        sees="measured []",
        lay=unzip,
        do=("bench", "styles"),
        small=True,
    ),
    Row(
        what="a stick that a Mac has written to: `._NAME` beside each file, and .DS_Store",
        sees=LAB,
        lay=written_to_by_a_mac,
        do=("lab", "--version"),
    ),
    Row(
        what="such a stick, and somebody asks what can be measured",
        sees="NAME is one of",
        lay=written_to_by_a_mac,
        do=("bench", "--help"),
    ),
]
