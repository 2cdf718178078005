import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.questions = {}
        self.answers = {}

    async def question(self, host):
        clock = asyncio.get_running_loop().time
        try:
            addresses, seconds = await self.ask(host)
            self.answers[host] = addresses, clock() + seconds
            return addresses
        finally:
            del self.questions[host]

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        clock = asyncio.get_running_loop().time
        addresses, end = self.answers.get(host, ([], 0))
        if clock() >= end:
            if host not in self.questions:
                self.questions[host] = asyncio.create_task(self.question(host))
            addresses = await asyncio.shield(self.questions[host])
        return [(socket.AF_INET, (address, port)) for address in addresses]
