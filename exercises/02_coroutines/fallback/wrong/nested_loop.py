import asyncio


async def or_else(awaitable, seconds, fallback):
    try:
        return asyncio.run(asyncio.wait_for(awaitable, seconds))
    except TimeoutError:
        return fallback
