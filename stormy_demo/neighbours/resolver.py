"""A resolver of one's own, for Tornado's clients: it asks DNS servers, on the loop.

    resolver = DnsResolver(servers=["127.0.0.1"], port=5353)
    AsyncHTTPClient(force_instance=True, resolver=resolver)

Or `Resolver.configure(DnsResolver, servers=[...])`, for all clients that are made from then on.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from tornado.netutil import is_valid_ip

from loopfilm.resolver import LiteralResolver

try:
    import dns.asyncresolver
    import dns.exception
    from dns.exception import DNSException, FormError, Timeout
    from dns.name import IDNAException
    from dns.resolver import NXDOMAIN, Answer, CacheKey, LRUCache, NoAnswer
except ImportError as error:
    raise ImportError(
        f"This resolver needs dnspython, and one part cannot be imported, {error.name}: "
        "pip install dnspython",
        name=error.name,
    ) from error

MOST_KEPT = 1000


class Kept(LRUCache):
    """Keeps answers as long as their TTL says, and no errors.

    Of an error without an SOA record nobody knows how long it holds, and dnspython would keep
    that for ever.
    """

    def put(self, key: CacheKey, value: Answer) -> None:
        """Keep an answer that has addresses."""
        if value.rrset is not None:
            super().put(key, value)


class DnsResolver(LiteralResolver):
    """Asks DNS servers without a thread, and keeps what they answer as long as they allow.

    It does not read `/etc/hosts` or `/etc/resolv.conf`: it knows no name that the servers do
    not.
    """

    def initialize(
        self, servers: Sequence[str], port: int = 53, patience: float = 10.0
    ) -> None:
        """Say whom to ask.

        Args:
            servers: their addresses.
            port: the port of all of them.
            patience: give up after so many seconds. Half of them are for the first try, since
                a datagram may be lost.
        """
        self.patience = patience
        self.dns = dns.asyncresolver.Resolver(configure=False)
        self.dns.nameservers = list(servers)
        self.dns.port = port
        self.dns.timeout, self.dns.lifetime = patience / 2, patience
        self.dns.cache = Kept(MOST_KEPT)

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        """Look up a name."""
        if is_valid_ip(host):
            return await super().resolve(host, port, family)
        try:
            found = await self.dns.resolve_name(host, family)
        except DNSException as error:
            raise self.as_os_error(host, error) from error
        return [(kind, (where, port)) for where, kind in found.addresses_and_families()]

    def as_os_error(self, host: str, error: DNSException) -> OSError:
        """Return what the system would raise: Tornado's clients expect an `OSError`.

        Args:
            host: the name that was looked up.
            error: what dnspython says.
        """
        if isinstance(error, NXDOMAIN):
            return socket.gaierror(socket.EAI_NONAME, f"There is no such name: {host}")
        if isinstance(error, NoAnswer):
            return socket.gaierror(socket.EAI_NONAME, f"{host} has no such address")
        if isinstance(error, (dns.exception.SyntaxError, FormError, IDNAException)):
            return socket.gaierror(socket.EAI_NONAME, f"This is no name: {host!r}")
        if isinstance(error, Timeout):
            said = f"No answer within {self.patience:g} s about {host}"
            return socket.gaierror(socket.EAI_AGAIN, said)
        return socket.gaierror(socket.EAI_AGAIN, f"No server could tell about {host}")
