import asyncio
import socket

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.tasks = {}
        self.people = {}
        self.kept = {}

    async def question(self, host):
        addresses, seconds = await self.ask(host)
        self.kept[host] = addresses, asyncio.get_running_loop().time() + seconds
        return addresses

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        addresses, until = self.kept.get(host, ([], 0))
        if asyncio.get_running_loop().time() >= until:
            if host not in self.tasks:
                self.people[host] = 0
                self.tasks[host] = asyncio.create_task(self.question(host))
            self.people[host] += 1
            task = self.tasks[host]
            try:
                addresses = await asyncio.shield(task)
            finally:
                self.people[host] -= 1
                if not self.people[host]:
                    # Nobody wants to know it any more.
                    task.cancel()
                    del self.tasks[host]
        return [(socket.AF_INET, (address, port)) for address in addresses]
