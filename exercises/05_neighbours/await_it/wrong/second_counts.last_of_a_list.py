import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    found = []

    def keep(value, error):
        found.append((value, error))
        loop.call_soon_threadsafe(done.set)

    call.add_callbacks(lambda value: keep(value, None), lambda error: keep(None, error))
    try:
        await done.wait()
    except asyncio.CancelledError:
        call.cancel()
        raise
    value, error = found[-1]
    if error:
        raise error
    return value
