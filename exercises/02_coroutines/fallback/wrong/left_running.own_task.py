import asyncio


async def or_else(awaitable, seconds, fallback):
    task = asyncio.create_task(awaitable)
    done, pending = await asyncio.wait([task], timeout=seconds)
    if done:
        return task.result()
    task.cancel()
    await asyncio.wait([task])
    return fallback
