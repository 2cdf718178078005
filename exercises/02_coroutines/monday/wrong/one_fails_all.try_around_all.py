import asyncio


async def report(client, urls):
    tokens = asyncio.Semaphore(10)

    async def row(url):
        async with tokens:
            await client.fetch(url)
            return url, "ok"

    try:
        return await asyncio.gather(*[row(url) for url in urls])
    except Exception as error:
        raise error
