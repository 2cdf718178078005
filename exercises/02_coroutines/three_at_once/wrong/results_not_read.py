import asyncio


async def ask(client, url):
    return (await client.fetch(url)).body


async def ask_all(client, urls):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(client, url)) for url in urls]
    return tasks
