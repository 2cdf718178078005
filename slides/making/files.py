"""The files that a page is made from, and the file that it becomes."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

# What the deck is made with.
TEMPLATE = Path(str(files("slides.making"))) / "template"

ICON = Path(str(files("slides.making"))) / "page" / "icon.svg"


def icon() -> str:
    """Return the icon of all pages as an address that has it inside."""
    return f"data:image/svg+xml,{quote(read_text(ICON))}"


def read_text(path: Path) -> str:
    """Return the text of a file, without the empty lines around it."""
    return path.read_text(encoding="utf-8").strip()


def write(path: Path, html: str) -> Path:
    """Write a page, with the same bytes on every system, and return where it is.

    Args:
        path: where it goes; its folder is made.
        html: the page.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html, encoding="utf-8", newline="\n")
    return path
