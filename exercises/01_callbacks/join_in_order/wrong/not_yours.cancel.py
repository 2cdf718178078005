from tornado.concurrent import Future


def join(futures):
    joined = Future()
    for future in futures:
        future.cancel()
    return joined
