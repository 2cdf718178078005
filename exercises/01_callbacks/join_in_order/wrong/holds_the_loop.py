import time

from tornado.concurrent import Future


def join(futures):
    joined = Future()
    while not all(f.done() for f in futures):
        time.sleep(0.1)
    joined.set_result([f.result() for f in futures])
    return joined
