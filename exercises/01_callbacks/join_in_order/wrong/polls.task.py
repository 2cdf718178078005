import asyncio


def join(futures):
    async def collect():
        while not all(f.done() for f in futures):
            await asyncio.sleep(0)
        return [f.result() for f in futures]

    return asyncio.ensure_future(collect())
