import asyncio
from datetime import timedelta
from tornado import gen


async def or_else(awaitable, seconds, fallback):
    task = asyncio.ensure_future(awaitable)
    try:
        return await gen.with_timeout(timedelta(seconds=seconds), task)
    except gen.TimeoutError:
        return fallback
    finally:
        task.cancel()
        await asyncio.wait([task])
