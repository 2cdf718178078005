import asyncio
import socket
from datetime import datetime, timedelta

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.asking = {}
        self.kept = {}

    async def find(self, host):
        try:
            addresses, seconds = await self.ask(host)
        finally:
            del self.asking[host]
        self.kept[host] = addresses, datetime.now() + timedelta(seconds=seconds)
        return addresses

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        addresses, until = self.kept.get(host, (None, datetime.now()))
        if addresses is None or datetime.now() >= until:
            if host not in self.asking:
                self.asking[host] = asyncio.create_task(self.find(host))
            addresses = await asyncio.shield(self.asking[host])
        return [(socket.AF_INET, (address, port)) for address in addresses]
