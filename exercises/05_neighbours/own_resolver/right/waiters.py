import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.waiting = {}
        self.known = {}
        self.working = set()

    async def work(self, host):
        addresses, error = None, None
        try:
            addresses, seconds = await self.ask(host)
            self.known[host] = (addresses, self.now() + seconds)
        except OSError as e:
            error = e
        for future in self.waiting.pop(host):
            if future.done():
                continue
            if error:
                future.set_exception(error)
            else:
                future.set_result(addresses)

    def now(self):
        return asyncio.get_running_loop().time()

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        if host in self.known and self.now() < self.known[host][1]:
            addresses = self.known[host][0]
        else:
            mine = asyncio.get_running_loop().create_future()
            if host in self.waiting:
                self.waiting[host].append(mine)
            else:
                self.waiting[host] = [mine]
                task = asyncio.create_task(self.work(host))
                self.working.add(task)
                task.add_done_callback(self.working.discard)
            addresses = await mine
        return [(socket.AF_INET, (address, port)) for address in addresses]
