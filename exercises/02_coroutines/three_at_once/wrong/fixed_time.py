import asyncio


async def ask_all(client, urls):
    futures = [client.fetch(url) for url in urls]
    await asyncio.sleep(1)
    return [future.result().body for future in futures]
