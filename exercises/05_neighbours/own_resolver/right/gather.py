import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.cache = dict()

    async def lookup(self, host):
        try:
            result = await self.ask(host)
        except Exception as e:
            self.cache.pop(host, None)
            raise e
        expires = asyncio.get_event_loop().time() + result[1]
        self.cache[host] = (None, result[0], expires)
        return result[0]

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        entry = self.cache.get(host)
        if (
            entry is not None
            and entry[0] is None
            and entry[2] <= asyncio.get_event_loop().time()
        ):
            entry = None
        if entry is None:
            task = asyncio.get_event_loop().create_task(self.lookup(host))
            entry = self.cache[host] = (task, None, None)
        if entry[0] is not None:
            [addresses] = await asyncio.gather(asyncio.shield(entry[0]))
        else:
            addresses = entry[1]
        result = []
        for address in addresses:
            result.append((socket.AF_INET, (address, port)))
        return result
