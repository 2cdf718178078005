import asyncio


async def ask_all(client, urls):
    for url in urls:
        yield (await client.fetch(url)).body
