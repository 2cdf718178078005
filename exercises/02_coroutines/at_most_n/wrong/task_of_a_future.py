import asyncio


async def ask_all(client, urls, n):
    tokens = asyncio.Semaphore(n)
    tasks = []
    for url in urls:
        async with tokens:
            tasks.append(asyncio.create_task(client.fetch(url)))
    return [(await task).body for task in tasks]
