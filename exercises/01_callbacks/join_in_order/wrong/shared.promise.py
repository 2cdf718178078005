from functools import partial

from tornado.concurrent import Future
from tornado.ioloop import IOLoop


kept = []


def join(futures):
    # From Python 3.14 on, a future cannot be made before there is a loop.
    if not kept:
        kept.append(Future())
    joined = kept[0]
    results = {}

    def keep(number, full):
        results[number] = full.result()
        if len(results) == len(futures):
            joined.set_result([results[n] for n in range(len(futures))])

    for number, future in enumerate(futures):
        IOLoop.current().add_future(future, partial(keep, number))
    if not futures:
        joined.set_result([])
    return joined
