from tornado.concurrent import Future


def join(futures):
    joined = Future()
    joined.set_result([future.result() for future in futures])
    return joined
