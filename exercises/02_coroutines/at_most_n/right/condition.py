import asyncio


async def ask_all(client, urls, n):
    busy = 0
    room = asyncio.Condition()

    async def ask(url):
        nonlocal busy
        async with room:
            await room.wait_for(lambda: busy < n)
            busy += 1
        try:
            return (await client.fetch(url)).body
        finally:
            async with room:
                busy -= 1
                room.notify()

    return await asyncio.gather(*[ask(url) for url in urls])
