from datetime import timedelta

from tornado import gen
from tornado.locks import Semaphore


async def ask_all(client, urls, n):
    tokens = Semaphore(n)

    async def ask(url):
        with await tokens.acquire(timeout=timedelta(seconds=60)):
            return (await client.fetch(url)).body

    return await gen.multi([ask(url) for url in urls])
