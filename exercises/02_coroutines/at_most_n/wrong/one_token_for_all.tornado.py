from tornado import gen
from tornado.locks import Semaphore


async def ask_all(client, urls, n):
    async with Semaphore(n):
        responses = await gen.multi([client.fetch(url) for url in urls])
    return [r.body for r in responses]
