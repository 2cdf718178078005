import asyncio
import queue


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    box = queue.SimpleQueue()
    call.add_callbacks(
        lambda value: box.put(("value", value)), lambda error: box.put(("error", error))
    )
    try:
        kind, what = await asyncio.to_thread(box.get)
    except asyncio.CancelledError:
        call.cancel()
        box.put(("nobody", None))
        raise
    if kind == "error":
        raise what
    return what
