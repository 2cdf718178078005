import asyncio


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)

    async def ask(url):
        async with tokens:
            return (await client.fetch(url)).body

    async with asyncio.TaskGroup() as group:
        for url in urls:
            group.create_task(ask(url))
