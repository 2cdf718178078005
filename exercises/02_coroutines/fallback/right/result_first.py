import asyncio


async def or_else(awaitable, seconds, fallback):
    result = fallback
    try:
        async with asyncio.timeout(seconds):
            result = await awaitable
    except TimeoutError:
        pass
    return result
