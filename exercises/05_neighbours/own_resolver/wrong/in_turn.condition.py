import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.changed = asyncio.Condition()
        self.asking = set()
        self.kept = {}

    def is_good(self, host):
        return host in self.kept and asyncio.get_running_loop().time() < self.kept[host][1]

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        async with self.changed:
            await self.changed.wait_for(lambda: host not in self.asking)
            if self.is_good(host):
                addresses, _ = self.kept[host]
                return [(socket.AF_INET, (address, port)) for address in addresses]
            self.asking.add(host)
        try:
            addresses, seconds = await self.ask(host)
            self.kept[host] = addresses, asyncio.get_running_loop().time() + seconds
        finally:
            self.asking.discard(host)
            async with self.changed:
                self.changed.notify_all()
        return [(socket.AF_INET, (address, port)) for address in addresses]
