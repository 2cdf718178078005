import asyncio


def join(futures):
    async def collect():
        return [await f for f in futures]

    return asyncio.ensure_future(collect())
