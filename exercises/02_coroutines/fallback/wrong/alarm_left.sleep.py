import asyncio


async def or_else(awaitable, seconds, fallback):
    task = asyncio.ensure_future(awaitable)
    alarm = asyncio.create_task(asyncio.sleep(seconds))
    try:
        await asyncio.wait([task, alarm], return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else fallback
    finally:
        task.cancel()
        await asyncio.wait([task])
