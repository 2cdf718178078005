from tornado import gen
from tornado.locks import Semaphore


async def ask_all(client, urls, n):
    s = Semaphore(n)

    async def a(u):
        async with s:
            return (await client.fetch(u)).body

    return await gen.multi([a(u) for u in urls])
