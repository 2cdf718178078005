import asyncio


async def or_else(awaitable, seconds, fallback):
    try:
        asyncio.timeout(seconds)
        return await awaitable
    except TimeoutError:
        return fallback
