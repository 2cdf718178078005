import asyncio


async def ask(client, url):
    return (await client.fetch(url)).body


async def ask_all(client, urls):
    bodies = []
    for url in urls:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(ask(client, url))
        bodies.append(task.result())
    return bodies
