import asyncio
import queue


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    box = queue.SimpleQueue()
    call.add_callbacks(
        lambda value: box.put((value, None)), lambda error: box.put((None, error))
    )
    try:
        value, error = await asyncio.to_thread(box.get)
    except asyncio.CancelledError:
        call.cancel()
        raise
    if error:
        raise error
    return value
