import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.tasks = {}

    def is_done(self, host, task):
        if task.cancelled() or task.exception():
            self.tasks.pop(host, None)
            return
        addresses, seconds = task.result()
        asyncio.get_running_loop().call_later(seconds, self.tasks.pop, host, None)

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        task = self.tasks.get(host)
        if task is None:
            task = self.tasks[host] = asyncio.ensure_future(self.ask(host))
            task.add_done_callback(lambda task: self.is_done(host, task))
        addresses, _ = await asyncio.shield(task)
        return [(socket.AF_INET, (address, port)) for address in addresses]
