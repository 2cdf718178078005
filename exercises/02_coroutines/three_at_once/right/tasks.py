import asyncio


async def ask(client, url):
    return (await client.fetch(url)).body


async def ask_all(client, urls):
    ts = [asyncio.create_task(ask(client, u)) for u in urls]
    return [await t for t in ts]
