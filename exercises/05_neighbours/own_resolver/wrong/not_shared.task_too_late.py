import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.tasks = {}

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        loop = asyncio.get_running_loop()
        if host not in self.tasks:
            task = asyncio.create_task(self.ask(host))
            await asyncio.wait([task])
            addresses, seconds = task.result()
            self.tasks[host] = task
            loop.call_later(seconds, self.tasks.pop, host, None)
        addresses, seconds = self.tasks[host].result()
        return [(socket.AF_INET, (address, port)) for address in addresses]
