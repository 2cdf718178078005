import asyncio


async def ask_all(client, urls):
    responses = await asyncio.gather(*urls)
    return [response.body for response in responses]
