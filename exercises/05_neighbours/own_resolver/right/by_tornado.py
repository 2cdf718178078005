import asyncio
import socket

from tornado import gen
from tornado.concurrent import Future
from tornado.ioloop import IOLoop
from tornado.netutil import Resolver


class OnceResolver(Resolver):
    """Asks for a name once, for all who want to know it."""

    def initialize(self, ask):
        self.ask = ask
        self.futures = {}

    def is_there(self, host, task):
        future = self.futures[host]
        if task.exception():
            del self.futures[host]
            future.set_exception(task.exception())
            future.exception()  # who waits hears it; perhaps nobody does
            return
        addresses, seconds = task.result()
        future.set_result(addresses)
        IOLoop.current().call_later(seconds, self.futures.pop, host)

    @gen.coroutine
    def resolve(self, host, port, family=socket.AF_UNSPEC):
        if host not in self.futures:
            self.futures[host] = Future()
            task = asyncio.ensure_future(self.ask(host))
            IOLoop.current().add_future(task, lambda task: self.is_there(host, task))
        addresses = yield asyncio.shield(self.futures[host])
        return [(socket.AF_INET, (address, port)) for address in addresses]
