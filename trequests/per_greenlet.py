"""State of requests' own that it keeps for each thread, kept for each greenlet instead.

All greenlets of a loop are one thread. `HTTPDigestAuth` notes in a `threading.local` what the
server has asked it, so one object for several people would answer the question of another one.
What belongs to other libraries stays as it is: what they mean by a thread is theirs to say.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import greenlet


class PerGreenlet:
    """Attributes that each greenlet has for itself; a thread without any counts as one.

    Args:
        before: where to look for what a greenlet has not set: what a request that is under way
            has noted there, it still finds.
    """

    def __init__(self, before: threading.local) -> None:
        vars(self).update(_before=before, _values=weakref.WeakKeyDictionary())

    def _mine(self) -> dict[str, Any]:
        mine: dict[str, Any] = self._values.setdefault(greenlet.getcurrent(), {})
        return mine

    def __getattr__(self, name: str) -> Any:
        mine = self._mine()
        return mine[name] if name in mine else getattr(self._before, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._mine()[name] = value


_lock = threading.Lock()


def digest_per_greenlet(original: Any, auth: Any) -> None:
    """Let one object for Digest authentication keep its notes for each greenlet.

    Args:
        original: what requests calls before it reads or writes these notes.
        auth: the object, a `requests.auth.HTTPDigestAuth`.
    """
    with _lock:
        if type(auth._thread_local) is threading.local:
            auth._thread_local = PerGreenlet(auth._thread_local)
    original(auth)
