import asyncio


async def ask(client, url):
    return (await client.fetch(url)).body


async def ask_all(client, urls):
    async with asyncio.TaskGroup() as group:
        for url in urls:
            group.create_task(ask(client, url))
