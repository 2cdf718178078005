import asyncio


async def ask_all(client, urls, n):
    under, fs = set(), []
    for u in urls:
        if len(under) >= n:
            _, under = await asyncio.wait(under, return_when=asyncio.FIRST_COMPLETED)
        fs.append(client.fetch(u))
        under.add(fs[-1])
    return [(await f).body for f in fs]
