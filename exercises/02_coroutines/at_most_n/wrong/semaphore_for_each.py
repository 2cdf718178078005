import asyncio

from tornado import gen


async def ask(client, url, n):
    async with asyncio.Semaphore(n):
        return (await client.fetch(url)).body


async def ask_all(client, urls, n):
    return await gen.multi([ask(client, url, n) for url in urls])
