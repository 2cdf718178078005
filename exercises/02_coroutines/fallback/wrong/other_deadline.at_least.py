import asyncio


async def or_else(awaitable, seconds, fallback):
    try:
        async with asyncio.timeout(max(seconds, 1)):
            return await awaitable
    except TimeoutError:
        return fallback
