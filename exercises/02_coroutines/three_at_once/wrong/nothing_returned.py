import asyncio


async def ask_all(client, urls):
    await asyncio.gather(*[client.fetch(url) for url in urls])
