import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.questions = {}

    async def question(self, key):
        try:
            addresses, seconds = await self.ask(key[0])
        except BaseException:
            del self.questions[key]
            raise
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, self.questions.pop, key)
        return addresses

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        key = host, port
        if key not in self.questions:
            self.questions[key] = asyncio.create_task(self.question(key))
        addresses = await asyncio.shield(self.questions[key])
        return [(socket.AF_INET, (address, port)) for address in addresses]
