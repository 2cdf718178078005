import asyncio


async def ask_all(client, urls):
    """Return the bodies of the answers, in the order of `urls`; ask all at once."""
    responses = await asyncio.gather(*[client.fetch(url, request_timeout=2) for url in urls])
    return [response.body for response in responses]
