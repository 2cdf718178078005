import asyncio


async def ask_all(client, urls, n):
    client.max_clients = n
    return [r.body for r in await asyncio.gather(*[client.fetch(url) for url in urls])]
