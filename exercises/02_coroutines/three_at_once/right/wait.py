import asyncio


async def ask_all(client, urls):
    fs = [client.fetch(u) for u in urls]
    await asyncio.wait(fs)
    return [f.result().body for f in fs]
