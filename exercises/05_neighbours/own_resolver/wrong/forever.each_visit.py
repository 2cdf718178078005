import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.tasks = {}
        self.until = {}

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        loop = asyncio.get_running_loop()
        task = self.tasks.get(host)
        if task and task.done() and (task.exception() or self.until[host] <= loop.time()):
            task = None
        if task is None:
            task = self.tasks[host] = asyncio.create_task(self.ask(host))
        addresses, seconds = await asyncio.shield(task)
        self.until[host] = loop.time() + seconds
        return [(socket.AF_INET, (address, port)) for address in addresses]
