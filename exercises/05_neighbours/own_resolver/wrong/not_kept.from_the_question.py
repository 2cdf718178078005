import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.tasks = {}
        self.good_until = {}

    async def question(self, host):
        begin = asyncio.get_running_loop().time()
        try:
            addresses, seconds = await self.ask(host)
        except BaseException:
            del self.tasks[host]
            raise
        self.good_until[host] = begin + seconds
        return addresses

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        now = asyncio.get_running_loop().time()
        if host in self.tasks and self.tasks[host].done() and self.good_until[host] <= now:
            del self.tasks[host]
        if host not in self.tasks:
            self.tasks[host] = asyncio.create_task(self.question(host))
        addresses = await asyncio.shield(self.tasks[host])
        return [(socket.AF_INET, (address, port)) for address in addresses]
