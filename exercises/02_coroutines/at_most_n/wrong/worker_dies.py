import asyncio


async def ask_all(client, urls, n):
    queue = asyncio.Queue()
    found = {}
    for url in urls:
        queue.put_nowait(url)

    async def worker():
        while True:
            url = await queue.get()
            found[url] = (await client.fetch(url)).body
            queue.task_done()

    workers = [asyncio.create_task(worker()) for _ in range(n)]
    await queue.join()
    for w in workers:
        w.cancel()
    return [found[url] for url in urls]
