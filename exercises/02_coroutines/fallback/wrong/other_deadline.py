import asyncio


async def or_else(awaitable, seconds, fallback):
    try:
        async with asyncio.timeout(0.5):
            return await awaitable
    except TimeoutError:
        return fallback
