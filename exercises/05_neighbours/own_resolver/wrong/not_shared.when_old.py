import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.names = {}

    async def question(self, host):
        try:
            addresses, seconds = await self.ask(host)
        except OSError:
            del self.names[host]
            raise
        self.names[host][1] = asyncio.get_running_loop().time() + seconds
        return addresses

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        now = asyncio.get_running_loop().time()
        until = self.names[host][1] if host in self.names else None
        if host not in self.names:
            self.names[host] = [asyncio.create_task(self.question(host)), None]
        elif until is not None and until <= now:
            self.names[host][0] = asyncio.create_task(self.question(host))
        addresses = await asyncio.shield(self.names[host][0])
        return [(socket.AF_INET, (address, port)) for address in addresses]
