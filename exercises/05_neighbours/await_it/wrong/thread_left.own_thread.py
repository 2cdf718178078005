import asyncio
import queue
import threading


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    box = queue.SimpleQueue()
    call.add_callbacks(
        lambda value: box.put((value, None)), lambda error: box.put((None, error))
    )

    def fill(value, error):
        if future.done():
            return
        if error:
            future.set_exception(error)
        else:
            future.set_result(value)

    def carry():
        loop.call_soon_threadsafe(fill, *box.get())

    threading.Thread(target=carry, daemon=True).start()
    try:
        return await future
    except asyncio.CancelledError:
        call.cancel()
        raise
