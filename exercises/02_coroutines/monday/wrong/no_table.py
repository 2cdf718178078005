import asyncio


async def report(client, urls):
    tokens = asyncio.Semaphore(10)

    async def ask(url):
        async with tokens:
            try:
                await client.fetch(url)
            except Exception as error:
                return str(error)
            return "ok"

    return await asyncio.gather(*[ask(url) for url in urls])
