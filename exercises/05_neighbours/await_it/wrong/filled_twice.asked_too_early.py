import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def on_result(value):
        if not future.done():
            loop.call_soon_threadsafe(future.set_result, value)

    def on_error(error):
        if not future.done():
            loop.call_soon_threadsafe(future.set_exception, error)

    call.add_callbacks(on_result, on_error)
    try:
        return await future
    except asyncio.CancelledError:
        call.cancel()
        raise
