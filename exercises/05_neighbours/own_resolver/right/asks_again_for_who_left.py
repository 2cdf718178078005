import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.known = {}
        self.promises = {}

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        loop = asyncio.get_running_loop()
        if host in self.known and loop.time() < self.known[host][1]:
            addresses = self.known[host][0]
            return [(socket.AF_INET, (address, port)) for address in addresses]
        while host in self.promises:
            promise = self.promises[host]
            await asyncio.wait([promise])
            if not promise.cancelled():
                addresses = promise.result()
                return [(socket.AF_INET, (address, port)) for address in addresses]
        promise = self.promises[host] = loop.create_future()
        try:
            addresses, seconds = await self.ask(host)
            self.known[host] = addresses, loop.time() + seconds
            promise.set_result(addresses)
        except OSError as error:
            promise.set_exception(error)
            promise.exception()  # it is heard here
            raise
        except asyncio.CancelledError:
            promise.cancel()
            raise
        finally:
            del self.promises[host]
        return [(socket.AF_INET, (address, port)) for address in addresses]
