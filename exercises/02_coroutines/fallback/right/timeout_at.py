import asyncio


async def or_else(awaitable, seconds, fallback):
    try:
        async with asyncio.timeout_at(asyncio.get_running_loop().time() + seconds):
            return await awaitable
    except TimeoutError:
        return fallback
