import asyncio


async def or_else(awaitable, seconds, fallback):
    try:
        return await asyncio.wait_for(awaitable, seconds)
    except asyncio.TimeoutError:
        return fallback
