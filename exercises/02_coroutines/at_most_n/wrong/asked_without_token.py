import asyncio

from tornado import gen


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)

    async def ask(future):
        async with tokens:
            return (await future).body

    return await gen.multi([ask(client.fetch(url)) for url in urls])
