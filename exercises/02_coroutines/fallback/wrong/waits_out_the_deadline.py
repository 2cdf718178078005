import asyncio


async def or_else(awaitable, seconds, fallback):
    task = asyncio.create_task(awaitable)
    await asyncio.sleep(seconds)
    if task.done():
        return task.result()
    task.cancel()
    return fallback
