import asyncio


async def report(client, urls):
    tokens = asyncio.Semaphore(10)

    async def ask(url):
        async with tokens:
            await client.fetch(url)
            return url, "ok"

    return await asyncio.gather(*[ask(url) for url in urls], return_exceptions=True)
