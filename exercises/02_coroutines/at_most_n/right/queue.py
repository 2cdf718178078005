import asyncio


async def ask_all(client, urls, n):
    q = asyncio.Queue()
    for i, u in enumerate(urls):
        q.put_nowait((i, u))
    found = {}

    async def worker():
        while not q.empty():
            i, u = q.get_nowait()
            found[i] = (await client.fetch(u)).body

    async with asyncio.TaskGroup() as g:
        for _ in range(n):
            g.create_task(worker())
    return [found[i] for i in range(len(urls))]
