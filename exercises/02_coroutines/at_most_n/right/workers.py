import asyncio


async def ask_all(client, urls, n):
    todo = list(enumerate(urls))[::-1]
    found = [None] * len(urls)

    async def worker():
        while todo:
            i, u = todo.pop()
            found[i] = (await client.fetch(u)).body

    await asyncio.gather(*[worker() for _ in range(n)])
    return found
