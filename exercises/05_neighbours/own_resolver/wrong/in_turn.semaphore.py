import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.doors = {}
        self.kept = {}

    def good(self, host):
        return host in self.kept and self.kept[host][1] > asyncio.get_running_loop().time()

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        if not self.good(host):
            async with self.doors.setdefault(host, asyncio.Semaphore(1)):
                if not self.good(host):
                    addresses, seconds = await self.ask(host)
                    now = asyncio.get_running_loop().time()
                    self.kept[host] = addresses, now + seconds
                else:
                    addresses = self.kept[host][0]
        else:
            addresses = self.kept[host][0]
        return [(socket.AF_INET, (address, port)) for address in addresses]
