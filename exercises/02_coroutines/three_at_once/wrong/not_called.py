import asyncio


async def ask(client, url):
    return (await client.fetch(url)).body


async def ask_all(client, urls):
    return await asyncio.gather(*[ask for url in urls])
