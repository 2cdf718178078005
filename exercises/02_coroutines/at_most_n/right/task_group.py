import asyncio


async def ask(client, url):
    return (await client.fetch(url)).body


async def ask_all(client, urls, n):
    s = asyncio.Semaphore(n)

    async def a(u):
        async with s:
            return await ask(client, u)

    async with asyncio.TaskGroup() as g:
        ts = [g.create_task(a(u)) for u in urls]
    return [t.result() for t in ts]
