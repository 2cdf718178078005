import asyncio
import contextlib


async def or_else(awaitable, seconds, fallback):
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await awaitable
    return fallback
