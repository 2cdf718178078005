import asyncio


async def or_else(awaitable, seconds, fallback):
    task = asyncio.ensure_future(awaitable)
    try:
        done, _ = await asyncio.wait([task], timeout=seconds)
        if done:
            return task.result()
        return fallback
    finally:
        task.cancel()
        await asyncio.wait([task])
