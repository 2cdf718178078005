import asyncio


async def ask_all(client, urls, n):
    """Return the bodies in the order of `urls`; have `n` questions under way, never more."""
    tokens = asyncio.Semaphore(n)

    async def ask(url):
        async with tokens:
            return (await asyncio.wait_for(client.fetch(url), 2)).body

    return await asyncio.gather(*[ask(url) for url in urls])
