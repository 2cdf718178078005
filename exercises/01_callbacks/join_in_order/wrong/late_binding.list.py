from tornado.concurrent import Future
from tornado.ioloop import IOLoop


def join(futures):
    joined = Future()
    results = [None] * len(futures)
    arrived = []

    for number in range(len(futures)):

        def keep(full):
            results[number] = full.result()
            arrived.append(number)
            if len(arrived) == len(futures):
                joined.set_result(results)

        IOLoop.current().add_future(futures[number], keep)
    if not futures:
        joined.set_result([])
    return joined
