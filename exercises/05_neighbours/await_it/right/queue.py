import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue()
    call.add_callbacks(
        lambda value: loop.call_soon_threadsafe(queue.put_nowait, (value, None)),
        lambda error: loop.call_soon_threadsafe(queue.put_nowait, (None, error)),
    )
    try:
        value, error = await queue.get()
    except asyncio.CancelledError:
        call.cancel()
        raise
    if error is not None:
        raise error
    return value
