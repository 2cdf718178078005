import asyncio


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)

    async def ask(url):
        async with tokens:
            return (await client.fetch(url)).body

    return [await c for c in [ask(url) for url in urls]]
