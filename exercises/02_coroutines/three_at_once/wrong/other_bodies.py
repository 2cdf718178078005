import asyncio


async def ask_all(client, urls):
    responses = await asyncio.gather(*[client.fetch(url) for url in urls])
    return [r.body.decode() for r in responses]
