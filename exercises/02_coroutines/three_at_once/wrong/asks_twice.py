import asyncio


async def ask_all(client, urls):
    futures = [client.fetch(url) for url in urls]
    return [(await client.fetch(url)).body for url in urls]
