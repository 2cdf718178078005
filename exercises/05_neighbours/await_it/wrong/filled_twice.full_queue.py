import asyncio


async def wait_for(call):
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue(maxsize=1)
    call.add_callbacks(
        lambda value: loop.call_soon_threadsafe(queue.put_nowait, (value, None)),
        lambda error: loop.call_soon_threadsafe(queue.put_nowait, (None, error)),
    )
    try:
        value, error = await queue.get()
    except asyncio.CancelledError:
        call.cancel()
        raise
    if error:
        raise error
    return value
