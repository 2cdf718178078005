"""Connections beyond those that requests keeps: for a few seconds, and while there is room."""

from __future__ import annotations

import asyncio
import errno
import time
import weakref
from typing import Any

from urllib3 import HTTPConnectionPool

from .. import keeping
from ..polite_queue import PoliteQueue

FULL = {errno.EMFILE, errno.ENFILE}


class SparingPool(HTTPConnectionPool):
    """A pool that keeps some connections for a short while only.

    Args:
        maxsize: how many it keeps for as long as it lasts.
        spare: how many more it keeps for `keeping.SPARE_SECONDS` after they were used, if this
            was on an event loop.
        block: whether it never has more than `maxsize`; then there is none to spare.
        *args: see `urllib3.HTTPConnectionPool`.
        **options: see `urllib3.HTTPConnectionPool`.
    """

    def __init__(
        self, *args: Any, maxsize: int = 1, spare: int = 0, block: bool = False, **options: Any
    ) -> None:
        """Make a pool for one host."""
        # A pool that does not block needs no queue full of places; it keeps as many connections
        # as it was asked to. What somebody has in the place of queues gets what urllib3 gives.
        kind: Any = self.QueueCls
        is_ours = isinstance(kind, type) and issubclass(kind, PoliteQueue)
        options.update(maxsize=maxsize if block or not is_ours else 0, block=block)
        super().__init__(*args, **options)
        assert self.pool
        self.kept = maxsize
        # A queue without a size has no end.
        self.spare = 0 if block or maxsize <= 0 or not is_ours else spare
        if is_ours:
            self.pool.maxsize = maxsize + self.spare
        # The loop with a timer for the next `trim`.
        self._trimmed_on: weakref.ref[asyncio.AbstractEventLoop] | None = None
        # Those that it has made, and not dropped.
        self.made = weakref.WeakSet[Any]()
        _pools[self] = None

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection: Any = super()._get_conn(timeout)
        connection.is_taken = True
        return connection

    def _new_conn(self) -> Any:
        connection = super()._new_conn()
        self.made.add(connection)
        return connection

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.is_taken = False
        places = self.pool
        if self.spare and conn is not None and places is not None:
            loop = asyncio._get_running_loop()
            if len(places.queue) >= self.kept:
                if loop is None:
                    conn.close()
                    return
                self._trim_later(loop)
            conn.put_back = time.monotonic()
        super()._put_conn(conn)

    def _trim_later(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._trimmed_on is None or self._trimmed_on() is not loop:
            self._trimmed_on = weakref.ref(loop)
            loop.call_later(keeping.SPARE_SECONDS, _trim, weakref.ref(self))

    def trim(self) -> bool:
        """Close those to spare that were not used for some time.

        Returns:
            Whether some are left.
        """
        places = self.pool
        if places is None:
            return False
        before = time.monotonic() - keeping.SPARE_SECONDS
        with places.mutex:
            spare = len(places.queue) - self.kept
            # Those that were used last are at the end.
            old = 0
            while old < spare and getattr(places.queue[old], "put_back", 0) <= before:
                old += 1
            closing = places.queue[:old]
            del places.queue[:old]
        for connection in closing:
            if connection is not None:
                connection.close()
        return spare > old

    @property
    def in_use(self) -> list[Any]:
        """The connections that are taken, and not put back or dropped."""
        return [each for each in self.made if getattr(each, "is_taken", False)]

    def idle(self) -> list[Any]:
        """Return the connections that are kept for later requests, if it can be known."""
        places = self.pool
        if not isinstance(places, PoliteQueue):
            return []
        with places.mutex:
            return [each for each in places.queue if each is not None and not each.is_closed]

    def close_idle(self) -> bool:
        """Close all connections that nobody uses now; return whether there were any."""
        places = self.pool
        if not isinstance(places, PoliteQueue):
            return False
        found = False
        with places.mutex:
            for each in places.queue:
                if each is not None and not each.is_closed:
                    # It stays in its place: whoever takes it connects anew.
                    each.close()
                    found = True
        return found


def _trim(reference: weakref.ref[SparingPool]) -> None:
    pool = reference()
    if pool is not None:
        pool._trimmed_on = None
        if pool.trim():
            pool._trim_later(asyncio.get_running_loop())


def makes_room(error: OSError) -> bool:
    """Return whether it was for too many open files, and some could be closed."""
    if error.errno not in FULL:
        return False
    found = False
    for reference in _pools.keyrefs():
        pool = reference()
        if pool is not None and pool.close_idle():
            found = True
    return found


_pools = weakref.WeakKeyDictionary[SparingPool, None]()
