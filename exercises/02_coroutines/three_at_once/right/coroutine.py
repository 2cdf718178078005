from tornado import gen


@gen.coroutine
def ask_all(client, urls):
    rs = yield [client.fetch(u) for u in urls]
    return [r.body for r in rs]
