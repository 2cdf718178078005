import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.clock = asyncio.get_running_loop().time
        self.questions = {}
        self.good_until = {}

    async def question(self, host):
        try:
            addresses, seconds = await self.ask(host)
        except BaseException:
            del self.questions[host]
            raise
        self.good_until[host] = self.clock() + seconds
        return addresses

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        if host in self.good_until and self.good_until[host] <= self.clock():
            del self.good_until[host], self.questions[host]
        if host not in self.questions:
            self.questions[host] = asyncio.create_task(self.question(host))
        addresses = await asyncio.shield(self.questions[host])
        return [(socket.AF_INET, (address, port)) for address in addresses]
