"""Pauses before another try that yield to the event loop."""

from __future__ import annotations

import asyncio
import time
import types
from typing import Any

from urllib3 import Retry
from urllib3.util import retry

import tornalet

from ..replaced import Parts
from ..threads import wait_for_thread


class PoliteRetries(Retry):
    """Stands for the retries of a request, and pauses without holding the loop.

    These may be of a class of somebody's own, which keeps what it likes on itself and on its
    class. So they are neither copied nor changed, and all but the pauses is theirs.

    Args:
        retries: what it stands for.
    """

    def __init__(self, retries: Retry) -> None:
        object.__setattr__(self, "_retries", retries)

    def __getattribute__(self, name: str) -> Any:
        if name in ("increment", "sleep"):
            return object.__getattribute__(self, name)
        return getattr(behind(self), name)

    def __repr__(self) -> str:
        # The logs of urllib3 have this text.
        return repr(behind(self))

    def increment(self, *args: Any, **kwargs: Any) -> PoliteRetries:
        """Return what stands for those after another failure, see `urllib3.Retry.increment`."""
        return PoliteRetries(behind(self).increment(*args, **kwargs))

    def sleep(self, response: Any = None) -> None:
        """Sleep before another try, see `urllib3.Retry.sleep`."""
        retries = behind(self)
        if not tornalet.can_wait():
            retries.sleep(response)
        elif _pauses_as_ever(retries):
            seconds = None
            if retries.respect_retry_after_header and response:
                seconds = retries.get_retry_after(response)
            if not seconds:
                seconds = retries.get_backoff_time()
            if seconds > 0:
                tornalet.wait(asyncio.sleep(seconds))
        else:
            wait_for_thread(lambda: retries.sleep(response))


def behind(retries: PoliteRetries) -> Retry:
    """Return what it stands for."""
    found: Retry = object.__getattribute__(retries, "_retries")
    return found


PAUSES = ("sleep", "sleep_for_retry", "_sleep_backoff")
_OF_URLLIB3 = Parts(Retry, retry, *PAUSES)


def _pauses_as_ever(retries: Retry) -> bool:
    own = vars(retries)
    return (
        type(time.sleep) is types.BuiltinFunctionType
        and not _OF_URLLIB3.replaced()
        and not any(name in own for name in PAUSES)
        and all(getattr(type(retries), name) is getattr(Retry, name) for name in PAUSES)
    )
