import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.questions = {}
        self.kept = {}

    async def question(self, host):
        try:
            addresses, seconds = await self.ask(host)
            self.kept[host] = addresses, asyncio.get_running_loop().time() + seconds
            return addresses
        finally:
            del self.questions[host]

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        addresses, until = self.kept.get(host, ([], 0))
        if asyncio.get_running_loop().time() >= until:
            if host in self.questions:
                addresses = await asyncio.shield(self.questions[host])
            else:
                async with asyncio.TaskGroup() as group:
                    self.questions[host] = task = group.create_task(self.question(host))
                addresses = task.result()
        return [(socket.AF_INET, (address, port)) for address in addresses]
