import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.tasks = {}
        self.kept = {}

    async def find(self, host):
        try:
            addresses, seconds = await self.ask(host)
            self.kept[host] = addresses, asyncio.get_running_loop().time() + seconds
        except OSError:
            # Better an old address than none.
            if host not in self.kept:
                raise
        finally:
            del self.tasks[host]
        return self.kept[host][0]

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        now = asyncio.get_running_loop().time()
        if host in self.kept and now < self.kept[host][1]:
            addresses = self.kept[host][0]
        else:
            if host not in self.tasks:
                self.tasks[host] = asyncio.create_task(self.find(host))
            addresses = await asyncio.shield(self.tasks[host])
        return [(socket.AF_INET, (address, port)) for address in addresses]
