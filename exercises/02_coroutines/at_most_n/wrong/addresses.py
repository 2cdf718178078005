import asyncio


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)
    async with tokens:
        responses = await asyncio.gather(*urls)
    return [r.body for r in responses]
