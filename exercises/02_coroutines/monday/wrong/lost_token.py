import asyncio


async def report(client, urls):
    tokens = asyncio.Semaphore(10)

    async def row(url):
        try:
            await tokens.acquire()
            await client.fetch(url)
            tokens.release()
        except Exception as error:
            return url, str(error)
        return url, "ok"

    return await asyncio.gather(*[row(url) for url in urls])
