import asyncio


async def ask_all(client, urls):
    tokens = asyncio.Semaphore(3)

    async def ask(url):
        async with tokens:
            return (await client.fetch(url)).body

    return await asyncio.gather(*[ask(url) for url in urls])
