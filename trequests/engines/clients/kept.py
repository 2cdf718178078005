"""The connections that libcurl keeps for one pool, on one loop.

By itself libcurl keeps them for all who use the same client, for as long as that lasts.
"""

from __future__ import annotations

import asyncio

import pycurl

from .. import keeping


class Kept:
    """Connections that are kept until `close`, or until nobody has asked for some time."""

    def __init__(self) -> None:
        self.share: pycurl.CurlShare | None = None
        self.under_way = self.peak = 0
        self.closed = False
        self.timer: asyncio.TimerHandle | None = None

    def begin(self, curl: pycurl.Curl) -> None:
        """Let a handle use these connections, until `end`."""
        if self.share is None:
            self.share = pycurl.CurlShare()
            self.share.setopt(pycurl.SH_SHARE, pycurl.LOCK_DATA_CONNECT)
        curl.setopt(pycurl.SHARE, self.share)
        self.under_way += 1
        self.peak = max(self.peak, self.under_way)

    def end(self, curl: pycurl.Curl) -> None:
        """Take the handle back, on the loop."""
        curl.unsetopt(pycurl.SHARE)
        self.under_way -= 1
        if self.under_way:
            return
        if self.closed:
            self._let_go()
        elif self.peak > keeping.KEPT and self.timer is None:
            loop = asyncio.get_running_loop()
            self.timer = loop.call_later(keeping.SPARE_SECONDS, self._trim)

    def close(self) -> None:
        """Close those that are not in use, and the others when they are not any more."""
        self.closed = True
        if not self.under_way:
            self._let_go()

    def _trim(self) -> None:
        self.timer = None
        if not self.under_way:
            self._let_go()

    def _let_go(self) -> None:
        self.peak = 0
        if self.timer:
            self.timer.cancel()
            self.timer = None
        share, self.share = self.share, None
        if share:
            share.close()
