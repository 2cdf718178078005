import asyncio


async def ask_all(client, urls):
    done, _ = await asyncio.wait(
        [client.fetch(u) for u in urls], return_when=asyncio.FIRST_COMPLETED
    )
    return [t.result().body for t in done]
