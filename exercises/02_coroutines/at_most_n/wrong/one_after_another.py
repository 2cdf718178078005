import asyncio


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)
    bodies = []
    for url in urls:
        async with tokens:
            response = await client.fetch(url)
            bodies.append(response.body)
    return bodies
