import asyncio


async def report(client, urls):
    client.max_clients = 10
    results = await asyncio.gather(*[client.fetch(u) for u in urls], return_exceptions=True)
    return [(u, str(r) if isinstance(r, Exception) else "ok") for u, r in zip(urls, results)]
