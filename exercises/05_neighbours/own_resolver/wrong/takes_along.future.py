import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.futures = {}
        self.kept = {}
        self.tasks = set()

    async def find(self, host, future):
        loop = asyncio.get_running_loop()
        try:
            addresses, seconds = await self.ask(host)
            self.kept[host] = addresses, loop.time() + seconds
            if not future.done():
                future.set_result(addresses)
        except OSError as error:
            future.set_exception(error)
        finally:
            del self.futures[host]

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        loop = asyncio.get_running_loop()
        if host in self.kept and loop.time() < self.kept[host][1]:
            addresses = self.kept[host][0]
        else:
            if host not in self.futures:
                self.futures[host] = loop.create_future()
                task = asyncio.create_task(self.find(host, self.futures[host]))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
            addresses = await self.futures[host]
        return [(socket.AF_INET, (address, port)) for address in addresses]
