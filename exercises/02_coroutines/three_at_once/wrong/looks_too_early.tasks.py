import asyncio


async def ask(client, url):
    return (await client.fetch(url)).body


async def ask_all(client, urls):
    tasks = [asyncio.create_task(ask(client, url)) for url in urls]
    return [task.result() for task in tasks]
