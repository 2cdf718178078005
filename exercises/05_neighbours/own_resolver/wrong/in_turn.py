import asyncio
import socket
from collections import defaultdict

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.locks = defaultdict(asyncio.Lock)
        self.kept = {}

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        loop = asyncio.get_running_loop()
        async with self.locks[host]:
            addresses, until = self.kept.get(host, ([], 0))
            if loop.time() >= until:
                addresses, seconds = await self.ask(host)
                self.kept[host] = addresses, loop.time() + seconds
        return [(socket.AF_INET, (address, port)) for address in addresses]
