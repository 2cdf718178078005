import asyncio


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)

    async def ask(url):
        await tokens.acquire()
        response = await client.fetch(url)
        tokens.release()
        return response.body

    return await asyncio.gather(*[ask(url) for url in urls])
