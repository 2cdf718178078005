from tornado.concurrent import Future
from tornado.ioloop import IOLoop


def join(futures):
    joined = Future()
    results = []

    def keep(full):
        results.append(full.result())
        joined.set_result(results)

    IOLoop.current().add_future(futures[0], keep)
    return joined
