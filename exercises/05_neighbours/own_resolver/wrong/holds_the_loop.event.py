import asyncio
import socket
import threading

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.events = {}
        self.kept = {}

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        loop = asyncio.get_running_loop()
        if host in self.events:
            self.events[host].wait()
        elif host not in self.kept or loop.time() >= self.kept[host][1]:
            self.events[host] = threading.Event()
            try:
                addresses, seconds = await self.ask(host)
                self.kept[host] = addresses, loop.time() + seconds
            finally:
                self.events.pop(host).set()
        addresses = self.kept[host][0]
        return [(socket.AF_INET, (address, port)) for address in addresses]
