import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.promises = {}
        self.known = {}

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        loop = asyncio.get_running_loop()
        if host in self.known and loop.time() < self.known[host][1]:
            addresses = self.known[host][0]
        elif host in self.promises:
            self.promises[host][1] += 1
            try:
                addresses = await asyncio.shield(self.promises[host][0])
            except asyncio.CancelledError:
                self.promises[host][1] -= 1
                raise
        else:
            task = asyncio.create_task(self.question(host))
            self.promises[host] = [task, 1]
            try:
                addresses = await asyncio.shield(task)
            except asyncio.CancelledError:
                self.promises[host][1] -= 1
                if not self.promises[host][1]:
                    task.cancel()
                raise
        return [(socket.AF_INET, (address, port)) for address in addresses]

    async def question(self, host):
        try:
            addresses, seconds = await self.ask(host)
        except Exception:
            del self.promises[host]
            raise
        del self.promises[host]
        self.known[host] = addresses, asyncio.get_running_loop().time() + seconds
        return addresses
