import asyncio


async def report(client, urls):
    tokens = asyncio.Semaphore(10)

    async def row(url):
        async with tokens:
            try:
                await client.fetch(url)
            except Exception as error:
                return url, getattr(error, "code", str(error))
            return url, "ok"

    return await asyncio.gather(*[row(url) for url in urls])
