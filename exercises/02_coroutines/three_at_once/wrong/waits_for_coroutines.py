import asyncio


async def ask(client, url):
    return (await client.fetch(url)).body


async def ask_all(client, urls):
    done, _ = await asyncio.wait([ask(client, url) for url in urls])
    return [t.result() for t in done]
