"""Which processes a process has started, on Linux."""

from __future__ import annotations

import os


def descendants(process: str) -> list[str]:
    """Return the numbers of the processes that a process has started, and of theirs.

    One whose parent has ended is not found. Elsewhere than on Linux there are none.

    Args:
        process: its number, or "self".
    """
    found = []
    try:
        for thread in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208
            with open(f"/proc/{process}/task/{thread}/children", "rb") as file:  # noqa: PTH123
                found += file.read().decode().split()
    except OSError:
        # It has ended, or this system does not tell.
        pass
    return [each for child in found for each in (child, *descendants(child))]
