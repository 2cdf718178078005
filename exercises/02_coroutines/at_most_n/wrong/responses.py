import asyncio

from tornado import gen


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)

    async def ask(url):
        async with tokens:
            return await client.fetch(url)

    return await gen.multi([ask(url) for url in urls])
