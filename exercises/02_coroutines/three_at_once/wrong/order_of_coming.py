import asyncio


async def ask_all(client, urls):
    bodies = []
    for answer in asyncio.as_completed([client.fetch(url) for url in urls]):
        bodies.append((await answer).body)
    return bodies
