"""Pools that a setup has not seen, underneath a session that was set up.

An adapter may have pools of its own, or hand a request on to another adapter, or to an object
that nobody can look into. What all of them come to is urllib3's `urlopen`.
"""

from __future__ import annotations

import functools
import weakref
from contextvars import ContextVar
from typing import Any

from requests.adapters import HTTPAdapter

from .instead import patch, unpatch
from .others import off_the_loop
from .outside import Outside, loop_runs_here
from .pooled import changed_pools
from .sockets.pools import PolitePool

# What to do where nobody can wait for the request that is under way; None if it is of a session
# that was not set up, or if there is none.
under_way: ContextVar[Outside | None] = ContextVar("under_way", default=None)


def see_changed_pools(adapter: HTTPAdapter) -> None:
    """Let also those pools of an adapter hold no loop that have an `urlopen` of their own.

    It may call the method as it was before there was a setup.
    """
    for pool in changed_pools(adapter):
        patch(pool, {"urlopen": functools.partial(_urlopen_of, weakref.ref(pool))})


def leave_changed_pools(adapter: HTTPAdapter) -> None:
    """Undo `see_changed_pools`."""
    for pool in changed_pools(adapter):
        unpatch(pool)


def _urlopen_of(pool: Any, original: Any, *args: Any, **kwargs: Any) -> Any:
    return urlopen(lambda _, *a, **k: original(*a, **k), pool(), *args, **kwargs)


def urlopen(original: Any, pool: Any, *args: Any, **kwargs: Any) -> Any:
    """Send a request of such a session without holding the loop, whatever pool it goes through.

    Args:
        original: the method `urlopen` of urllib3's pools.
        pool: the pool.
        *args: see `urllib3.HTTPConnectionPool.urlopen`. They are passed on by their names or
            their places, as they came: whoever has replaced the method may count on that.
        **kwargs: the same.
    """
    outside = under_way.get()
    if outside is None or isinstance(pool, PolitePool) or not loop_runs_here():
        return original(pool, *args, **kwargs)
    asked = dict(zip(("method", "url"), args, strict=False)) | kwargs
    method, url = asked["method"], asked["url"]
    send = functools.partial(original, pool, *args, **kwargs)
    port = f":{pool.port}" if pool.port else ""
    host = f"{pool.scheme}://{pool.host}{port}" if url.startswith("/") else ""
    return off_the_loop(send, outside, f"{method} {host}{url}")
