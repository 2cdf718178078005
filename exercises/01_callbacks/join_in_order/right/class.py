from functools import partial

from tornado.concurrent import Future
from tornado.ioloop import IOLoop


class Joiner:
    def __init__(self, futures):
        self.joined = Future()
        self.left = len(futures)
        self.results = [None] * self.left
        for n, f in enumerate(futures):
            IOLoop.current().add_future(f, partial(self.keep, n))
        self.look()

    def keep(self, n, full):
        self.results[n] = full.result()
        self.left -= 1
        self.look()

    def look(self):
        if self.left == 0:
            self.joined.set_result(self.results)


def join(futures):
    return Joiner(futures).joined
