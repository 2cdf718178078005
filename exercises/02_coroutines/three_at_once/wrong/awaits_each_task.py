import asyncio


async def ask(client, url):
    return (await client.fetch(url)).body


async def ask_all(client, urls):
    bodies = []
    for url in urls:
        task = asyncio.create_task(ask(client, url))
        bodies.append(await task)
    return bodies
