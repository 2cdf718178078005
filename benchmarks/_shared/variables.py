"""What a program that is measured finds in its environment."""

from __future__ import annotations

import os

NAMES = ("HOME", "LANG", "LOGNAME", "PATH", "PWD", "SHELL", "SYSTEMROOT", "TZ", "USER")


def few_variables() -> dict[str, str]:
    """Return those of this environment that a program needs, and no other.

    For each call requests reads all variables that there are, so they have to be the same
    everywhere; and none of these names a proxy.
    """
    return {name: os.environ[name] for name in NAMES if name in os.environ}
