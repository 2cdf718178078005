import asyncio


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)

    async def ask(url):
        tokens.acquire()
        try:
            return (await client.fetch(url)).body
        finally:
            tokens.release()

    return await asyncio.gather(*[ask(url) for url in urls])
