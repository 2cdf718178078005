from tornado.concurrent import Future
from tornado.ioloop import IOLoop


def join(futures):
    joined = Future()
    results = [None] * len(futures)
    missing = len(futures)
    if missing == 0:
        joined.set_result(results)

    for number, future in enumerate(futures):

        def keep(full, number=number):
            nonlocal missing
            results[number] = full.result()
            missing -= 1
            if missing == 0:
                joined.set_result(results)

        IOLoop.current().add_future(future, keep)
    return joined
