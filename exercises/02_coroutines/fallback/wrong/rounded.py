import asyncio


async def or_else(awaitable, seconds, fallback):
    try:
        async with asyncio.timeout(int(seconds)):
            return await awaitable
    except TimeoutError:
        return fallback
