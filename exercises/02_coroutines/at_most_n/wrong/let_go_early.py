import asyncio

from tornado import gen


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)
    started = []
    for url in urls:
        async with tokens:
            started.append(client.fetch(url))
    responses = await gen.multi(started)
    return [response.body for response in responses]
