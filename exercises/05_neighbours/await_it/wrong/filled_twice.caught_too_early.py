import asyncio


async def wait_for(call):
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def on_result(v):
        try:
            loop.call_soon_threadsafe(future.set_result, v)
        except asyncio.InvalidStateError:
            pass

    def on_error(e):
        try:
            loop.call_soon_threadsafe(future.set_exception, e)
        except asyncio.InvalidStateError:
            pass

    call.add_callbacks(on_result, on_error)
    try:
        return await future
    except asyncio.CancelledError:
        call.cancel()
        raise
