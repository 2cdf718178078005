from functools import partial
from tornado.concurrent import Future
from tornado.ioloop import IOLoop


def join(futures):
    joined = Future()
    results = [None] * len(futures)

    def keep(number, full):
        results[number] = full.result()
        futures.remove(full)
        if not futures:
            joined.set_result(results)

    for number, future in enumerate(list(futures)):
        IOLoop.current().add_future(future, partial(keep, number))
    if not futures:
        joined.set_result([])
    return joined
