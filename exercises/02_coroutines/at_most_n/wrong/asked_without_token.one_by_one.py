import asyncio


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)
    futures = [client.fetch(url) for url in urls]
    bodies = []
    for future in futures:
        async with tokens:
            bodies.append((await future).body)
    return bodies
