import asyncio


async def ask(client, url):
    response = await client.fetch(url)
    return response.body


async def ask_all(client, urls):
    return [await task for task in [ask(client, url) for url in urls]]
