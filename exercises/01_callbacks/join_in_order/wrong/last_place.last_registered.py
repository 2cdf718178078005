from tornado.concurrent import Future
from tornado.ioloop import IOLoop


def join(futures):
    joined = Future()
    if not futures:
        joined.set_result([])
        return joined

    def finish(full):
        joined.set_result([f.result() for f in futures])

    IOLoop.current().add_future(futures[-1], finish)
    return joined
