import asyncio


async def report(client, urls):
    tokens = asyncio.Semaphore(10)

    async def row(url):
        await tokens.acquire()
        try:
            await client.fetch(url)
        except Exception as error:
            return url, str(error)
        return url, "ok"

    return await asyncio.gather(*[row(url) for url in urls])
