import asyncio


async def or_else(awaitable, seconds, fallback):
    async with asyncio.timeout(seconds):
        return await awaitable
    return fallback
