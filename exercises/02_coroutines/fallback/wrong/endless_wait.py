import time


async def or_else(awaitable, seconds, fallback):
    start = time.monotonic()
    result = await awaitable
    if time.monotonic() - start > seconds:
        return fallback
    return result
