import asyncio

from tornado import gen

tokens = asyncio.Semaphore(5)


async def ask_all(client, urls, n):
    async def ask(url):
        async with tokens:
            return (await client.fetch(url)).body

    return await gen.multi([ask(url) for url in urls])
