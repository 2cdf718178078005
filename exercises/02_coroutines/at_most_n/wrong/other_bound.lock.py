import asyncio


async def ask_all(client, urls, n):
    lock = asyncio.Lock()

    async def ask(url):
        async with lock:
            return (await client.fetch(url)).body

    return await asyncio.gather(*[ask(url) for url in urls])
