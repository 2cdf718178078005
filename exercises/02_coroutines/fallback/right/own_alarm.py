import asyncio


async def or_else(awaitable, seconds, fallback):
    me = asyncio.current_task()
    late = False

    def ring():
        nonlocal late
        late = True
        me.cancel()

    alarm = asyncio.get_running_loop().call_later(seconds, ring)
    try:
        return await awaitable
    except asyncio.CancelledError:
        if not late:
            raise
        return fallback
    finally:
        alarm.cancel()
