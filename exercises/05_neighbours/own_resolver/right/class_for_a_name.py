import asyncio
import socket
from dataclasses import dataclass, field
from typing import Awaitable, Callable

from tornado.netutil import Resolver


@dataclass
class Name:
    """All that is known of one name."""

    ask: Callable[[str], Awaitable[tuple[list[str], int]]]
    host: str
    task: asyncio.Task | None = None
    good_until: float = field(default=float("-inf"))

    async def question(self) -> tuple[str, ...]:
        addresses, seconds = await self.ask(self.host)
        self.good_until = asyncio.get_running_loop().time() + seconds
        return tuple(addresses)

    def is_good(self) -> bool:
        if self.task is None:
            return False
        if not self.task.done():
            return True
        if self.task.cancelled() or self.task.exception() is not None:
            return False
        return asyncio.get_running_loop().time() < self.good_until

    async def pairs(self, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
        if not self.is_good():
            self.task = asyncio.create_task(self.question())
        found = await asyncio.shield(self.task)
        return [(socket.AF_INET, (each, port)) for each in found]


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.names = {}

    def resolve(self, host, port, family=socket.AF_UNSPEC):
        if host not in self.names:
            self.names[host] = Name(self.ask, host)
        return self.names[host].pairs(port)
