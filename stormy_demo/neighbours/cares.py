"""Tornado's resolver over c-ares, as the talk of 2013 has it, with servers of one's own.

It is deprecated, goes with Tornado 7, and does not know pycares 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tornado.ioloop import IOLoop
from tornado.netutil import Resolver

try:
    import pycares
    from tornado.platform.caresresolver import CaresResolver

    HAS_CARES = hasattr(pycares.Channel, "gethostbyname")
except ImportError:
    CaresResolver = Resolver  # type: ignore[misc]
    HAS_CARES = False


class LocalCaresResolver(CaresResolver):
    """Asks DNS servers through c-ares, and asks nothing that `/etc` says of names."""

    def initialize(  # type: ignore[override]
        self, servers: Sequence[str], port: int = 53
    ) -> None:
        """Say whom to ask.

        Args:
            servers: their addresses.
            port: the port of all of them.

        Raises:
            ImportError: pycares is missing, or too new for Tornado.
        """
        if not HAS_CARES:
            raise ImportError("Tornado's resolver over c-ares needs pip install 'pycares<5'")
        self.io_loop = IOLoop.current()
        self.channel = pycares.Channel(
            # It would also ask for names behind which it has put the domains of this machine.
            flags=pycares.ARES_FLAG_NOSEARCH,
            sock_state_cb=self._sock_state_cb,
            servers=list(servers),
            udp_port=port,
            tcp_port=port,
            lookups="b",
        )
        self.fds: dict[int, Any] = {}

    def close(self) -> None:
        """Ask nobody any more; who still waits is told by an `OSError`."""
        # Closing tells them too, but in another thread, which may not touch the loop.
        self.channel.cancel()
        self.channel.close()
