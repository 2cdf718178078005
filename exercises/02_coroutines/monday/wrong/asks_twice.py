import asyncio


async def report(client, urls):
    tokens = asyncio.Semaphore(5)

    async def row(url):
        async with tokens:
            try:
                client.fetch(url)
                await client.fetch(url)
            except Exception as error:
                return url, str(error)
            return url, "ok"

    return await asyncio.gather(*[row(url) for url in urls])
