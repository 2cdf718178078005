import asyncio


def join(futures):
    async def all_of_them():
        return [await f for f in futures]

    return asyncio.run(all_of_them())
