import asyncio


async def ask_all(client, urls):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(client.fetch(url)) for url in urls]
    return [task.result().body for task in tasks]
