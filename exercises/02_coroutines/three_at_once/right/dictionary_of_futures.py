from tornado import gen


async def ask_all(client, urls):
    d = await gen.multi({u: client.fetch(u) for u in urls})
    return [d[u].body for u in urls]
