import asyncio


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)

    async def ask(url):
        async with tokens:
            return (await client.fetch(url)).body

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(url)) for url in urls]
        return [task.result() for task in tasks]
