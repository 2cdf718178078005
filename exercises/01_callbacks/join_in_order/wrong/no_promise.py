from functools import partial

from tornado.ioloop import IOLoop


def join(futures):
    results = [None] * len(futures)

    def keep(number, full):
        results[number] = full.result()

    for number, future in enumerate(futures):
        IOLoop.current().add_future(future, partial(keep, number))
    return results
