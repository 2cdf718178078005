import asyncio


async def ask_all(client, urls):
    found = {}

    async def ask(url):
        found[url] = (await client.fetch(url)).body

    async with asyncio.TaskGroup() as g:
        for u in urls:
            g.create_task(ask(u))
    return [found[u] for u in urls]
