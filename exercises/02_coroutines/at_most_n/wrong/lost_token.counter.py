import asyncio


busy = 0


async def ask_all(client, urls, n):
    async def ask(url):
        global busy
        while busy >= n:
            await asyncio.sleep(0.01)
        busy += 1
        r = await client.fetch(url)
        busy -= 1
        return r.body

    return await asyncio.gather(*[ask(u) for u in urls])
