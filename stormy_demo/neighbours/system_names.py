"""Look-ups that block, asked of DNS servers of one's own: by dnspython, and by the system.

with as_system(["127.0.0.1"], 5353):
    socket.getaddrinfo("ada.example", 80)  # asks there, in the whole process
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

try:
    import dns.resolver
except ImportError as error:
    raise ImportError(
        f"This needs dnspython, and one part cannot be imported, {error.name}: "
        "pip install dnspython",
        name=error.name,
    ) from error

# Who is asked in the place of the system: the last one, as long as its block lasts.
_in_place: list[dns.resolver.Resolver] = []


def asking(
    servers: Sequence[str], port: int = 53, patience: float = 10.0
) -> dns.resolver.Resolver:
    """Return dnspython's resolver that blocks, and asks certain servers alone.

    Args:
        servers: their addresses.
        port: the port of all of them.
        patience: give up after so many seconds. Half of them are for the first try, which is
            the only one if the resolver stands in the place of the system.
    """
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = list(servers)
    resolver.port = port
    resolver.timeout, resolver.lifetime = patience / 2, patience
    return resolver


@contextmanager
def as_system(servers: Sequence[str], port: int = 53, patience: float = 10.0) -> Iterator[None]:
    """Have `socket.getaddrinfo` and its kin ask these servers as long as the block lasts.

    Args:
        servers: their addresses.
        port: the port of all of them.
        patience: give up after so many seconds, see `asking`.
    """
    _in_place.append(asking(servers, port, patience))
    dns.resolver.override_system_resolver(_in_place[-1])
    try:
        yield
    finally:
        _in_place.pop()
        if _in_place:
            dns.resolver.override_system_resolver(_in_place[-1])
        else:
            dns.resolver.restore_system_resolver()
