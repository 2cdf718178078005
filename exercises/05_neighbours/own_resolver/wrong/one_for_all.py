import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.task = None

    async def question(self, host):
        try:
            addresses, seconds = await self.ask(host)
        except BaseException:
            self.task = None
            raise
        asyncio.get_running_loop().call_later(seconds, self.forget)
        return addresses

    def forget(self):
        self.task = None

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        if self.task is None:
            self.task = asyncio.create_task(self.question(host))
        addresses = await asyncio.shield(self.task)
        return [(socket.AF_INET, (address, port)) for address in addresses]
