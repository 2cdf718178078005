import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        # A task is the question while it is under way, and then its answer.
        self.questions = {}

    async def question(self, host):
        try:
            addresses, seconds = await self.ask(host)
        except OSError as error:
            del self.questions[host]
            raise ConnectionError(str(error)) from error
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, self.questions.pop, host)
        return addresses

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        if host not in self.questions:
            self.questions[host] = asyncio.create_task(self.question(host))
        # Who is cancelled here leaves the question to the others.
        addresses = await asyncio.shield(self.questions[host])
        return [(socket.AF_INET, (address, port)) for address in addresses]
