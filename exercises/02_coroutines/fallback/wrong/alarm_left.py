import asyncio


async def or_else(awaitable, seconds, fallback):
    task = asyncio.ensure_future(awaitable)
    late = False

    def ring():
        nonlocal late
        late = True
        task.cancel()

    asyncio.get_running_loop().call_later(seconds, ring)
    try:
        return await task
    except asyncio.CancelledError:
        if late:
            return fallback
        raise
