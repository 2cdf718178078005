import asyncio


async def or_else(awaitable, seconds, fallback):
    task = asyncio.create_task(awaitable)
    done, _ = await asyncio.wait([task], timeout=seconds)
    return task.result() if done else fallback
