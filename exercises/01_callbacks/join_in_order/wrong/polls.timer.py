from tornado.concurrent import Future
from tornado.ioloop import IOLoop


def join(futures):
    joined = Future()

    def poll():
        if all(f.done() for f in futures):
            joined.set_result([f.result() for f in futures])
        else:
            IOLoop.current().call_later(0.01, poll)

    poll()
    return joined
