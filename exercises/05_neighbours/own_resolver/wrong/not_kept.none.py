import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.tasks = {}

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        if host not in self.tasks:
            task = self.tasks[host] = asyncio.ensure_future(self.ask(host))
            task.add_done_callback(lambda task: self.tasks.pop(host))
        addresses, seconds = await asyncio.shield(self.tasks[host])
        return [(socket.AF_INET, (address, port)) for address in addresses]
