"""A resolver that keeps requests in the order in which they were sent."""

from __future__ import annotations

import socket
from typing import Any

from tornado.netutil import DefaultLoopResolver, is_valid_ip


class LiteralResolver(DefaultLoopResolver):
    """A resolver that answers for IP addresses on the spot.

    Tornado's own asks a thread even about "127.0.0.1". Now and then requests then arrive in
    another order than they were sent in, and an experiment about order would depend on luck.
    """

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        """Look up a name, as `tornado.netutil.Resolver.resolve` does."""
        if not is_valid_ip(host):
            return await super().resolve(host, port, family)
        found = socket.getaddrinfo(
            host, port, family, socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )
        return [(entry[0], entry[4]) for entry in found]
