"""Files that are whole at any time, whoever reads them, and whatever ends who writes them."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(file: Path, text: str) -> None:
    """Write a file beside its place, and then put it there, over the one that is there.

    A notebook that reads it meanwhile has the old one or the new one, and so has who finds it
    after Ctrl-C, or when the disk is full.

    Args:
        file: its place.
        text: what it is to say; its lines end in the same way on each system.

    Raises:
        OSError: it cannot be written; the old one is still there.
    """
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        new.write_text(text, encoding="utf-8", newline="\n")
        try:
            new.replace(file)
        except PermissionError:
            # Windows, while somebody reads it.
            file.write_text(text, encoding="utf-8", newline="\n")
    finally:
        new.unlink(missing_ok=True)
