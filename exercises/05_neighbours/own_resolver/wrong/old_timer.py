import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.tasks = {}

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        task = self.tasks.get(host)
        if task is None:
            task = self.tasks[host] = asyncio.create_task(self.ask(host))
        try:
            addresses, seconds = await asyncio.shield(task)
        except OSError:
            self.tasks.pop(host, None)
            raise
        asyncio.get_running_loop().call_later(seconds, self.tasks.pop, host, None)
        return [(socket.AF_INET, (address, port)) for address in addresses]
