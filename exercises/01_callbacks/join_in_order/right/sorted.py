from functools import partial

from tornado.concurrent import Future
from tornado.ioloop import IOLoop


def join(futures):
    joined = Future()
    pairs = []

    def keep(n, full):
        pairs.append((n, full.result()))
        if len(pairs) == len(futures):
            joined.set_result([value for _, value in sorted(pairs, key=lambda pair: pair[0])])

    for n, f in enumerate(futures):
        IOLoop.current().add_future(f, partial(keep, n))
    if len(futures) == 0:
        joined.set_result([])
    return joined
