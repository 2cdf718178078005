import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def fill(how, what):
        if not future.done():
            how(what)

    call.add_callbacks(
        lambda value: loop.call_soon_threadsafe(fill, future.set_result, value),
        lambda error: loop.call_soon_threadsafe(fill, future.set_exception, error),
    )
    try:
        await future
    except asyncio.CancelledError:
        call.cancel()
        raise
