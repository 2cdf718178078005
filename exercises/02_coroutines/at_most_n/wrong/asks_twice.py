import asyncio


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)

    async def ask(url):
        async with tokens:
            if (await client.fetch(url)).code == 200:
                return (await client.fetch(url)).body

    return await asyncio.gather(*[ask(url) for url in urls])
