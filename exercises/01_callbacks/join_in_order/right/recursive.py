from tornado.concurrent import Future
from tornado.ioloop import IOLoop


def join(futures):
    joined = Future()
    if not futures:
        joined.set_result([])
        return joined
    first, *rest = futures

    def got_first(full):
        IOLoop.current().add_future(
            join(rest), lambda others: joined.set_result([full.result(), *others.result()])
        )

    IOLoop.current().add_future(first, got_first)
    return joined
