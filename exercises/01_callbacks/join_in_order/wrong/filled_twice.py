from tornado.concurrent import Future
from tornado.ioloop import IOLoop


def join(futures):
    joined = Future()

    def came(full):
        if all(future.done() for future in futures):
            joined.set_result([future.result() for future in futures])

    for future in futures:
        IOLoop.current().add_future(future, came)
    if not futures:
        joined.set_result([])
    return joined
