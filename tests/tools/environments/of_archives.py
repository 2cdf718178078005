"""The kit as people get it who have no git."""

from __future__ import annotations

from .row import Place, Row


def unzip(place: Place) -> None:
    """Leave what a program for archives may leave: no mode, and line ends of Windows."""
    for path in place.house.rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            data = path.read_bytes()
            if b"\0" not in data:
                path.write_bytes(data.replace(b"\n", b"\r\n"))


ROWS = [
    Row(
        what="the zip, unpacked with the line ends of Windows and nothing executable",
        sees="measured []",
        lay=unzip,
        do=("bench", "styles"),
        small=True,
    ),
]
