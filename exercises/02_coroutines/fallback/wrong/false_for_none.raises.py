import asyncio


async def or_else(awaitable, seconds, fallback):
    try:
        async with asyncio.timeout(seconds):
            got = await awaitable
            if not got:
                raise ValueError("nothing")
            return got
    except TimeoutError:
        return fallback
