"""A resolver of one's own, for Tornado's clients: it asks DNS servers, on the loop.

    resolver = DnsResolver(servers=["127.0.0.1"], port=5353)
    AsyncHTTPClient(force_instance=True, resolver=resolver)

Or `Resolver.configure(DnsResolver, servers=[...])`, for all clients that are made from then on.
"""

from __future__ import annotations

import asyncio
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
    from dns.rdatatype import SOA
    from dns.resolver import NXDOMAIN, Answer, CacheKey, LRUCache, NoAnswer
except ImportError as error:
    raise ImportError(
        f"This resolver needs dnspython, and one part cannot be imported, {error.name}: "
        "pip install dnspython",
        name=error.name,
    ) from error

MOST_KEPT = 1000
# How DNS servers call the families of addresses. Clients try the first one first.
KINDS = {socket.AF_INET6: "AAAA", socket.AF_INET: "A"}


class Kept(LRUCache):
    """Keeps answers as long as they say, also those that there is nothing.

    Such a one says it in an SOA record. Without that nobody knows how long it holds, and
    dnspython would keep it for minutes, or, in older versions, for ever.
    """

    def put(self, key: CacheKey, value: Answer) -> None:
        """Keep an answer that says for how long."""
        beside = [records.rdtype for records in value.response.authority]
        if value.rrset is not None or SOA in beside:
            super().put(key, value)


def is_address(host: str) -> bool:
    """Return whether there is nothing to look up.

    Args:
        host: a name or an address. The C library takes "*" for all addresses of this machine.
    """
    return is_valid_ip(host) and host != "*"


class DnsResolver(LiteralResolver):
    """Asks DNS servers without a thread, and keeps what they answer as long as they allow.

    It does not read `/etc/hosts` or `/etc/resolv.conf`: it knows no name that the servers do
    not, even `localhost`.
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
        if is_address(host):
            return await super().resolve(host, port, family)
        families = KINDS if family == socket.AF_UNSPEC else [family]
        questions = [self.ask(host, port, each) for each in families]
        return joined(await asyncio.gather(*questions, return_exceptions=True))

    async def ask(
        self, host: str, port: int, family: socket.AddressFamily
    ) -> list[tuple[int, Any]]:
        """Ask for the addresses of one family; one at least, or an error."""
        try:
            records = await self.dns.resolve(host, KINDS[family])
        except DNSException as error:
            raise self.as_os_error(host, error) from error
        return [(family, (record.address, port)) for record in records]

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


def joined(
    answers: Sequence[list[tuple[int, Any]] | BaseException],
) -> list[tuple[int, Any]]:
    """Return all pairs; one family with addresses is enough.

    Args:
        answers: for each family its pairs, or an error. At least one.

    Raises:
        BaseException: one of the errors, since there is nothing else. If one family has no
            address, and nobody could tell about the other, there may be one.
    """
    errors = [answer for answer in answers if isinstance(answer, BaseException)]
    if len(errors) == len(answers):
        raise max(errors, key=lambda error: getattr(error, "errno", None) != socket.EAI_NONAME)
    return [pair for pairs in answers if isinstance(pairs, list) for pair in pairs]
