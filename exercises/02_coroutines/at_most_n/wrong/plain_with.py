import asyncio

from tornado import gen


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)

    async def ask(url):
        with tokens:
            return (await client.fetch(url)).body

    return await gen.multi([ask(url) for url in urls])
