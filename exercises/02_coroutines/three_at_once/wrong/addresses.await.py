import asyncio


async def ask_all(client, urls):
    return [(await url).body for url in urls]
