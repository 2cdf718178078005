import asyncio


async def or_else(awaitable, seconds, fallback):
    (result,) = await asyncio.gather(
        asyncio.wait_for(awaitable, seconds), return_exceptions=True
    )
    return fallback if isinstance(result, Exception) else result
