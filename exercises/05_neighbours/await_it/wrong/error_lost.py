import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def fill(value):
        if not future.done():
            future.set_result(value)

    call.add_callbacks(lambda value: loop.call_soon_threadsafe(fill, value), print)
    try:
        return await future
    except asyncio.CancelledError:
        call.cancel()
        raise
