"""Disks of another kind: the door is opened where a house is mounted so, and nowhere else.

A user may do that in a namespace of their own, on a Linux that allows it.
"""

from __future__ import annotations

import functools
import shutil
import subprocess

from tests.houses import BASE

from .row import Place


@functools.cache
def can_mount() -> bool:
    """Return whether this system lets whoever runs the tests mount something."""
    if not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode == 0


def mounted(place: Place, option: str) -> None:
    """Have the disk of a house mounted with an option of `mount` when the door is opened."""
    steps = f'mount --bind . . && mount -o remount,bind,{option} "$PWD" && cd "$PWD"'
    within(place, steps)


def within(place: Place, steps: str) -> None:
    """Have a shell take some steps, as the root of a namespace, before it opens the door."""
    place.python = ["unshare", "-rm", "sh", "-c", f'{steps} && exec "$0" "$@"', BASE]
