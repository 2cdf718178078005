import asyncio


async def report(client, urls):
    tokens = asyncio.Semaphore(10)

    async def ask(url):
        async with tokens:
            return await client.fetch(url)

    found = await asyncio.gather(*[ask(url) for url in urls], return_exceptions=True)
    words = [str(each) if isinstance(each, Exception) else "ok" for each in found]
    return list(zip(urls, words))
