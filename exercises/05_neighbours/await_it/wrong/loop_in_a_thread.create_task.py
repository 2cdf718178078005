import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    queue = asyncio.Queue()
    call.add_callbacks(
        lambda value: asyncio.ensure_future(queue.put((value, None))),
        lambda error: asyncio.ensure_future(queue.put((None, error))),
    )
    try:
        value, error = await queue.get()
    except asyncio.CancelledError:
        call.cancel()
        raise
    if error:
        raise error
    return value
