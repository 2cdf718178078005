import asyncio


async def ask_all(client, urls, n):
    s = asyncio.BoundedSemaphore(n)
    tasks = []

    async def a(u):
        try:
            return (await client.fetch(u)).body
        finally:
            s.release()

    for u in urls:
        await s.acquire()
        tasks.append(asyncio.create_task(a(u)))
    return [await t for t in tasks]
