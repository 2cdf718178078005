import asyncio


async def or_else(awaitable, seconds, fallback):
    """Return what `awaitable` gives, or `fallback` if that takes longer than `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            return await awaitable
    except TimeoutError:
        return fallback
