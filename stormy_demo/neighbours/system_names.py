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


def asking(servers: Sequence[str], port: int = 53) -> dns.resolver.Resolver:
    """Return dnspython's resolver that blocks, and asks certain servers alone.

    Args:
        servers: their addresses.
        port: the port of all of them.
    """
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = list(servers)
    resolver.port = port
    return resolver


@contextmanager
def as_system(servers: Sequence[str], port: int = 53) -> Iterator[None]:
    """Have `socket.getaddrinfo` and its kin ask these servers as long as the block lasts.

    Args:
        servers: their addresses.
        port: the port of all of them.
    """
    dns.resolver.override_system_resolver(asking(servers, port))
    try:
        yield
    finally:
        dns.resolver.restore_system_resolver()
