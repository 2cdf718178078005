import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.kept = {}

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        now = asyncio.get_running_loop().time()
        if host not in self.kept or self.kept[host][1] <= now:
            addresses, seconds = await self.ask(host)
            now = asyncio.get_running_loop().time()
            self.kept[host] = addresses, now + seconds
        addresses = self.kept[host][0]
        return [(socket.AF_INET, (address, port)) for address in addresses]
