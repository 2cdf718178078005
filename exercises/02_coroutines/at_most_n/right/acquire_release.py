import asyncio


async def ask_all(client, urls, n):
    s = asyncio.Semaphore(n)

    async def a(u):
        await s.acquire()
        try:
            return (await client.fetch(u)).body
        finally:
            s.release()

    return await asyncio.gather(*[a(u) for u in urls])
