import asyncio


async def ask(client, url):
    return (await client.fetch(url)).body


async def ask_all(client, urls):
    return await asyncio.gather(ask(client, url) for url in urls)
