import asyncio


def or_else(awaitable, seconds, fallback):
    async def inner():
        try:
            async with asyncio.timeout(seconds):
                return await awaitable
        except TimeoutError:
            return fallback

    return inner()
