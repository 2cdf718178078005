from tornado.concurrent import Future


def join(futures):
    joined = Future()
    for future in futures:
        future.set_result(None)
    joined.set_result([f.result() for f in futures])
    return joined
