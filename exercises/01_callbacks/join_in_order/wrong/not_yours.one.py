from tornado.concurrent import Future
from tornado.ioloop import IOLoop


def join(futures):
    joined = futures[0] if futures else Future()
    results = []

    def keep(full):
        results.append(full.result())
        if len(results) == len(futures):
            joined.set_result(results)

    for f in futures:
        IOLoop.current().add_future(f, keep)
    return joined
