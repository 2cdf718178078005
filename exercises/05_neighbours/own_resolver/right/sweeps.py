import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.questions = {}
        self.good_until = {}
        self.sweeper = asyncio.create_task(self.sweep())

    async def sweep(self):
        while True:
            await asyncio.sleep(30)
            for host in [host for host in self.good_until if not self.is_good(host)]:
                self.questions.pop(host)
                self.good_until.pop(host)

    def is_good(self, host):
        return asyncio.get_running_loop().time() < self.good_until[host]

    async def question(self, host):
        try:
            addresses, seconds = await asyncio.wait_for(self.ask(host), 30)
        except Exception:
            self.questions.pop(host)
            raise
        self.good_until[host] = asyncio.get_running_loop().time() + seconds
        return addresses

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        if host in self.good_until and not self.is_good(host):
            self.questions.pop(host)
            self.good_until.pop(host)
        if host not in self.questions:
            self.questions[host] = asyncio.create_task(self.question(host))
        addresses = await asyncio.shield(self.questions[host])
        return tuple((int(socket.AF_INET), (address, port)) for address in addresses)
