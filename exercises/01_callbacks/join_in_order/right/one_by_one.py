from tornado.concurrent import Future
from tornado.ioloop import IOLoop


def join(futures):
    joined = Future()
    results = []
    left = list(futures)

    def next_one():
        if left:
            IOLoop.current().add_future(left.pop(0), keep)
        else:
            joined.set_result(results)

    def keep(full):
        results.append(full.result())
        next_one()

    next_one()
    return joined
