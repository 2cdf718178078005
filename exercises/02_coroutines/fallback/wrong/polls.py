import asyncio


async def or_else(awaitable, seconds, fallback):
    task = asyncio.ensure_future(awaitable)
    end = asyncio.get_running_loop().time() + seconds
    try:
        while not task.done() and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0)
        return task.result() if task.done() else fallback
    finally:
        task.cancel()
        await asyncio.wait([task])
