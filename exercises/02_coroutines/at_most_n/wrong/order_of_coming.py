import asyncio

from tornado import gen


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)
    bodies = []

    async def ask(url):
        async with tokens:
            response = await client.fetch(url)
            bodies.append(response.body)

    await gen.multi([ask(url) for url in urls])
    return bodies
