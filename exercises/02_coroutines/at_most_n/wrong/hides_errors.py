import asyncio


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)

    async def ask(url):
        async with tokens:
            try:
                return (await client.fetch(url)).body
            except Exception:
                return None

    return await asyncio.gather(*[ask(url) for url in urls])
