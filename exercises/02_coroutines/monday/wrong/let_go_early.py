import asyncio


async def report(client, urls):
    tokens = asyncio.Semaphore(10)

    async def row(url):
        async with tokens:
            coming = client.fetch(url)
        try:
            await coming
        except Exception as error:
            return url, str(error)
        return url, "ok"

    return await asyncio.gather(*[row(url) for url in urls])
