"""The urllib3 that this package is built on. It is imported first, and refuses any other.

Its engines are subclasses of urllib3's own classes, and another package in its place would fail
in the middle of a request.
"""

from __future__ import annotations

import urllib3

OLDEST = (2, 5)


def wrong() -> str:
    """Return what is wrong with the urllib3 that is here, or nothing."""
    if hasattr(urllib3, "AsyncPoolManager"):
        return (
            "the package urllib3 was replaced by urllib3-future, as niquests does when it is "
            "installed, and trequests needs urllib3 itself: install niquests in another "
            "environment, and urllib3 here anew"
        )
    said: str = vars(urllib3)["__version__"]
    version = tuple(int(part) for part in said.split(".")[:2])
    if version < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return f"trequests needs urllib3 {oldest} or later, and this is {said}"
    return ""


if reason := wrong():
    raise ImportError(reason)
