import asyncio


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)

    async def ask(url):
        await tokens.acquire()
        try:
            return (await client.fetch(url)).body
        except Exception:
            tokens.release()
            raise

    return await asyncio.gather(*[ask(url) for url in urls])
