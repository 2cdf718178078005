import asyncio


async def ask_all(client, urls, n):
    futures = []
    for start in range(0, len(urls), n):
        futures += [client.fetch(u) for u in urls[start : start + n]]
        await asyncio.sleep(1)
    return [(await f).body for f in futures]
