import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.questions = {}
        self.forgetting = set()

    async def forget(self, host, seconds):
        await asyncio.sleep(seconds)
        del self.questions[host]

    async def question(self, host):
        try:
            addresses, seconds = await self.ask(host)
        except OSError:
            del self.questions[host]
            raise
        task = asyncio.create_task(self.forget(host, seconds))
        self.forgetting.add(task)
        task.add_done_callback(self.forgetting.discard)
        return addresses

    def resolve(self, host, port, family=socket.AF_UNSPEC):
        if host not in self.questions:
            self.questions[host] = asyncio.create_task(self.question(host))
        return asyncio.ensure_future(self.pairs(self.questions[host], port))

    async def pairs(self, task, port):
        addresses = await asyncio.shield(task)
        return [(socket.AF_INET, (address, port)) for address in addresses]
