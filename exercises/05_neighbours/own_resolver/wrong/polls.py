import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.asking = set()
        self.kept = {}

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        loop = asyncio.get_running_loop()
        while host in self.asking:
            await asyncio.sleep(0)
        if host not in self.kept or self.kept[host][1] <= loop.time():
            self.asking.add(host)
            try:
                addresses, seconds = await self.ask(host)
                self.kept[host] = addresses, loop.time() + seconds
            finally:
                self.asking.discard(host)
        addresses = self.kept[host][0]
        return [(socket.AF_INET, (address, port)) for address in addresses]
