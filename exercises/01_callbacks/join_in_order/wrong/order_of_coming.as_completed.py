import asyncio


def join(futures):
    async def collect():
        return [await future for future in asyncio.as_completed(futures)]

    return asyncio.ensure_future(collect())
