import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    value = error = None

    def on_result(found):
        nonlocal value
        value = value or found
        if value:
            loop.call_soon_threadsafe(done.set)

    def on_error(found):
        nonlocal error
        error = found
        loop.call_soon_threadsafe(done.set)

    call.add_callbacks(on_result, on_error)
    try:
        await done.wait()
    except asyncio.CancelledError:
        call.cancel()
        raise
    if error:
        raise error
    return value
