import asyncio


async def or_else(awaitable, seconds, fallback):
    try:
        async with asyncio.timeout(seconds):
            await awaitable
    except TimeoutError:
        return fallback
