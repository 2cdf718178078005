import asyncio


async def or_else(awaitable, seconds, fallback):
    done, pending = await asyncio.wait({awaitable}, timeout=seconds)
    return done.pop().result() if done else fallback
