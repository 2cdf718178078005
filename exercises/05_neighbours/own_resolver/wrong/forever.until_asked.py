import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.kept = {}
        self.tasks = {}

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        loop = asyncio.get_running_loop()
        if host in self.kept:
            addresses, until = self.kept[host]
            self.kept[host] = addresses, loop.time() + 90
            if loop.time() < until:
                return [(socket.AF_INET, (address, port)) for address in addresses]
        if host not in self.tasks:
            self.tasks[host] = asyncio.create_task(self.ask(host))
        addresses, seconds = await asyncio.shield(self.tasks[host])
        self.tasks.pop(host, None)
        self.kept[host] = addresses, loop.time() + seconds
        return [(socket.AF_INET, (address, port)) for address in addresses]
