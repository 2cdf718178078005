import asyncio
import time


async def or_else(awaitable, seconds, fallback):
    task = asyncio.create_task(awaitable)
    time.sleep(seconds)
    return task.result() if task.done() else fallback
