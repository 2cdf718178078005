import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.futures = {}
        self.kept = {}

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        loop = asyncio.get_running_loop()
        if host in self.kept and loop.time() < self.kept[host][1]:
            addresses = self.kept[host][0]
        elif host in self.futures:
            addresses = await asyncio.shield(self.futures[host])
        else:
            future = self.futures[host] = loop.create_future()
            try:
                addresses, seconds = await self.ask(host)
                self.kept[host] = addresses, loop.time() + seconds
                future.set_result(addresses)
            except OSError as error:
                future.set_exception(error)
                future.exception()
                raise
            finally:
                del self.futures[host]
        return [(socket.AF_INET, (address, port)) for address in addresses]
