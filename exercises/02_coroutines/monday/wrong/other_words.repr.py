import asyncio


async def report(client, urls):
    """Return a table: each address, and "ok" or the words of its error."""
    tokens = asyncio.Semaphore(10)

    async def row(url):
        async with tokens:
            try:
                await client.fetch(url)
            except Exception as error:
                return url, repr(error)
            return url, "ok"

    return await asyncio.gather(*[row(url) for url in urls])
