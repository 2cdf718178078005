import asyncio
import socket
import threading

from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.lock = threading.Lock()
        self.futures = {}
        self.loop = asyncio.get_running_loop()

    def forget(self, host):
        with self.lock:
            self.futures.pop(host, None)

    def finished(self, host, future):
        if future.cancelled() or future.exception():
            self.forget(host)
        else:
            seconds = future.result()[1]
            self.loop.call_soon_threadsafe(self.loop.call_later, seconds, self.forget, host)

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        with self.lock:
            future = self.futures.get(host)
            if future is None:
                future = asyncio.run_coroutine_threadsafe(self.ask(host), self.loop)
                self.futures[host] = future
        if not future.done():
            future.add_done_callback(lambda f: self.finished(host, f))
        addresses, _ = await asyncio.shield(asyncio.wrap_future(future))
        return [(socket.AF_INET, (address, port)) for address in addresses]
