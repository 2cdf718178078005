import asyncio


async def ask_all(client, urls):
    tasks = [asyncio.create_task(client.fetch(url)) for url in urls]
    return [(await task).body for task in tasks]
