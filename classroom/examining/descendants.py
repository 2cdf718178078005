"""Which processes a process has started, on Linux."""

from __future__ import annotations

import os
import sys

# More are not looked for: that would take longer than there is between two looks.
MOST = 500


def descendants(process: str) -> list[str]:
    """Return the numbers of the processes that a process has started, and of theirs.

    One whose parent has ended is not found. Elsewhere than on Linux there are none.

    Args:
        process: its number, or "self".
    """
    # To ask for this costs a twentieth of what it costs to look, and most answers start none.
    if process == "self" and not has_children():
        return []
    found = _children(process)
    for each in found:
        if len(found) >= MOST:
            break
        found += _children(each)
    return found[:MOST]


def has_children() -> bool:
    """Return whether this process has children; their ends stay for whoever waits for them."""
    if sys.platform != "linux":
        return False
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _children(process: str) -> list[str]:
    found = list[str]()
    try:
        for thread in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208
            with open(f"/proc/{process}/task/{thread}/children", "rb") as file:  # noqa: PTH123
                found += file.read().decode().split()
    except OSError:
        # It has ended, or this system does not tell.
        pass
    return found
