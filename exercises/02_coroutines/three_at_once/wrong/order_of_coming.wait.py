import asyncio


async def ask_all(client, urls):
    done, _ = await asyncio.wait([client.fetch(url) for url in urls])
    return [response.result().body for response in done]
