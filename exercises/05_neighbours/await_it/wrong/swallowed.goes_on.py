import asyncio


async def wait_for(call):
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
        value, error = await queue.get()
    if error:
        raise error
    return value
