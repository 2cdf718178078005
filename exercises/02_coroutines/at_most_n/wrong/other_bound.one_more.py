import asyncio


async def ask(client, url):
    return (await client.fetch(url)).body


async def ask_all(client, urls, n):
    under_way, tasks = set(), []
    for url in urls:
        if len(under_way) > n:
            _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(ask(client, url))
        tasks.append(task)
        under_way.add(task)
    return [await task for task in tasks]
