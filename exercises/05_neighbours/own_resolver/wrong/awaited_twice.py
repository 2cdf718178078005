import functools
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    @functools.cache
    def question(self, host):
        return self.ask(host)

    def initialize(self, ask):
        self.ask = ask

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        addresses, seconds = await self.question(host)
        return [(socket.AF_INET, (address, port)) for address in addresses]
