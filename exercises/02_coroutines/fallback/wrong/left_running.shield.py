import asyncio


async def or_else(awaitable, seconds, fallback):
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.shield(awaitable)
    except TimeoutError:
        return fallback
