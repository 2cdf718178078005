import asyncio


async def ask_all(client, urls):
    asked = []
    while urls:
        asked.append(client.fetch(urls.pop(0)))
    return [r.body for r in await asyncio.gather(*asked)]
