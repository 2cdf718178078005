from tornado.concurrent import Future
from tornado.ioloop import IOLoop


def join(futures):
    joined = Future()
    results = []

    def keep(full):
        results.append(full.result())
        if len(results) == len(futures):
            joined.set_result(sorted(results))

    for f in futures:
        IOLoop.current().add_future(f, keep)
    if len(futures) == 0:
        joined.set_result([])
    return joined
