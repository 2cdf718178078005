import asyncio


async def or_else(awaitable, seconds, fallback):
    try:
        async with asyncio.timeout(seconds * 1000):
            return await awaitable
    except TimeoutError:
        return fallback
