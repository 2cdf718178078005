"""What this machine has, and what it allows."""

from __future__ import annotations

import contextlib
import math
import os
import platform
import shutil
import sys
from pathlib import Path

if sys.platform != "win32":
    import resource


def in_words() -> str:
    """Return the Python, the system and the processor, for somebody who does not see them."""
    system = f"{platform.system()} {platform.release()}"
    if sys.platform == "darwin":
        system = f"macOS {platform.mac_ver()[0]}"
    elif sys.platform == "linux":
        with contextlib.suppress(OSError):
            system = platform.freedesktop_os_release()["PRETTY_NAME"]
    return f"Python {platform.python_version()}, {system}, {platform.machine()}"


def find_chromium() -> str | None:
    """The Chromium, Chrome or Edge of this machine, for the browser tests.

    One without windows comes first: it needs half as much of the processor for the same pages.
    """
    names = (
        "chromium-headless-shell",
        *("chromium", "chromium-browser", "google-chrome", "chrome", "msedge"),
    )
    places = [
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ]
    for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        for program in (
            "Google/Chrome/Application/chrome",
            "Microsoft/Edge/Application/msedge",
        ):
            places.append(f"{os.environ.get(variable, '')}/{program}.exe")
    found = [shutil.which(name) for name in names] + [p for p in places if Path(p).is_file()]
    return next(filter(None, found), None)


def allow_open_files() -> float:
    """Raise the limit on open files where the system lets us, and give what it is then.

    Children inherit it. In a notebook client and server share it: a connection takes two.
    """
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY:
            # macOS reports an unlimited hard limit, and refuses values above a lower one.
            for wanted in (65_536, 10_240, 1_024):
                limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
                if limit > soft:
                    with contextlib.suppress(OSError, ValueError):
                        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                        return limit
            return soft
    return math.inf
