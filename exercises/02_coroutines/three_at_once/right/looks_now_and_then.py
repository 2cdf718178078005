import asyncio


async def ask_all(client, urls):
    futures = [client.fetch(url) for url in urls]
    while not all(f.done() for f in futures):
        await asyncio.sleep(0.05)
    return [f.result().body for f in futures]
