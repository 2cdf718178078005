import asyncio


async def or_else(awaitable, seconds, fallback):
    result = None
    try:
        async with asyncio.timeout(seconds):
            result = await awaitable
    except TimeoutError:
        pass
    return fallback if result is None else result
