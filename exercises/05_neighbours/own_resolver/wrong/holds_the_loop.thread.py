import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.kept = {}
        self.loop = asyncio.get_running_loop()

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        if host not in self.kept or self.kept[host][1] <= self.loop.time():
            future = asyncio.run_coroutine_threadsafe(self.ask(host), self.loop)
            addresses, seconds = future.result()
            self.kept[host] = addresses, self.loop.time() + seconds
        addresses = self.kept[host][0]
        return [(socket.AF_INET, (address, port)) for address in addresses]
