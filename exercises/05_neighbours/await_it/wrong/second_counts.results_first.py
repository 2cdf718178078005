import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    values, errors = [], []

    def on_result(value):
        values.append(value)
        loop.call_soon_threadsafe(done.set)

    def on_error(error):
        errors.append(error)
        loop.call_soon_threadsafe(done.set)

    call.add_callbacks(on_result, on_error)
    try:
        await done.wait()
    except asyncio.CancelledError:
        call.cancel()
        raise
    if values:
        return values[0]
    raise errors[0]
