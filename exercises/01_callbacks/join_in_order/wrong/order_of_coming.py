from tornado.concurrent import Future
from tornado.ioloop import IOLoop


def join(futures):
    joined = Future()
    results = []

    def keep(full):
        results.append(full.result())
        if len(results) == len(futures):
            joined.set_result(results)

    for future in futures:
        IOLoop.current().add_future(future, keep)
    if not futures:
        joined.set_result([])
    return joined
