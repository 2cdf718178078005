import asyncio


async def ask_all(client, urls):
    futures = [client.fetch(url) for url in urls]
    rs = await asyncio.gather(*[f() for f in futures])
    return [r.body for r in rs]
