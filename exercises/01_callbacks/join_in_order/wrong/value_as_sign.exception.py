from functools import partial

from tornado.concurrent import Future
from tornado.ioloop import IOLoop


def join(futures):
    joined = Future()
    results = [None] * len(futures)
    come = []

    def keep(number, full):
        results[number] = full.result()
        come.append(number)
        if len(come) == len(futures):
            if None in results:
                joined.set_exception(ValueError("one is missing"))
            else:
                joined.set_result(results)

    for number, future in enumerate(futures):
        IOLoop.current().add_future(future, partial(keep, number))
    if not futures:
        joined.set_result([])
    return joined
