import asyncio


async def wait_for(call):
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue(maxsize=1)
    call.add_callbacks(
        lambda value: asyncio.run_coroutine_threadsafe(queue.put((value, None)), loop),
        lambda error: asyncio.run_coroutine_threadsafe(queue.put((None, error)), loop),
    )
    try:
        value, error = await queue.get()
    except asyncio.CancelledError:
        call.cancel()
        raise
    if error:
        raise error
    return value
