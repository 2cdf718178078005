import asyncio


async def report(client, urls):
    tokens = asyncio.Semaphore(10)
    table = []

    async def row(url):
        async with tokens:
            try:
                await client.fetch(url)
                table.append((url, "ok"))
            except Exception:
                pass

    await asyncio.gather(*[row(url) for url in urls])
    return table
