import asyncio


async def or_else(awaitable, seconds, fallback):
    async with asyncio.timeout(seconds):
        try:
            return await awaitable
        except TimeoutError:
            return fallback
