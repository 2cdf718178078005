from tornado.concurrent import Future
from tornado.ioloop import IOLoop


def join(futures):
    joined = Future()

    def collect():
        joined.set_result([f.result() for f in futures])

    IOLoop.current().call_later(0.5, collect)
    return joined
