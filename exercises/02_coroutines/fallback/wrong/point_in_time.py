import asyncio


async def or_else(awaitable, seconds, fallback):
    try:
        async with asyncio.timeout_at(seconds):
            return await awaitable
    except TimeoutError:
        return fallback
