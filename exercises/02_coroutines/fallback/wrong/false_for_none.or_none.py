import asyncio


async def or_else(awaitable, seconds, fallback):
    try:
        async with asyncio.timeout(seconds):
            return await awaitable or None
    except TimeoutError:
        return fallback
