import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.questions = {}

    async def question(self, host):
        try:
            addresses, seconds = await self.ask(host)
        except OSError:
            del self.questions[host]
            raise
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, lambda: self.questions.pop(host))
        return addresses

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        if host not in self.questions:
            loop = asyncio.get_running_loop()
            self.questions[host] = asyncio.run_coroutine_threadsafe(self.question(host), loop)
        addresses = await asyncio.to_thread(self.questions[host].result)
        return [(socket.AF_INET, (address, port)) for address in addresses]
