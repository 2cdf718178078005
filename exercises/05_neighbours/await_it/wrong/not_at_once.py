import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    loop = asyncio.get_running_loop()

    def fill(how, what):
        if not future.done():
            getattr(future, how)(what)

    def on_result(value):
        future.get_loop().call_soon_threadsafe(fill, "set_result", value)

    def on_error(error):
        future.get_loop().call_soon_threadsafe(fill, "set_exception", error)

    call.add_callbacks(on_result, on_error)
    future = loop.create_future()
    try:
        return await future
    except asyncio.CancelledError:
        call.cancel()
        raise
