import asyncio

from tornado.concurrent import Future
from tornado.ioloop import IOLoop


def join(futures):
    joined = Future()

    def poll():
        try:
            joined.set_result([f.result() for f in futures])
        except asyncio.InvalidStateError:
            IOLoop.current().add_callback(poll)

    IOLoop.current().add_callback(poll)
    return joined
