import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.questions = {}

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        if host not in self.questions:
            self.questions[host] = asyncio.run(self.ask(host))
        addresses, seconds = self.questions[host]
        return [(socket.AF_INET, (address, port)) for address in addresses]
