import asyncio


async def ask(client, url):
    return (await client.fetch(url)).body


async def ask_all(client, urls):
    async with asyncio.TaskGroup() as g:
        ts = [g.create_task(ask(client, u)) for u in urls]
    return [t.result() for t in ts]
