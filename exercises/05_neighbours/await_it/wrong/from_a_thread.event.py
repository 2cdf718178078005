import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    done = asyncio.Event()
    found = []

    def on_result(value):
        found.append((value, None))
        done.set()

    def on_error(error):
        found.append((None, error))
        done.set()

    call.add_callbacks(on_result, on_error)
    try:
        await done.wait()
    except asyncio.CancelledError:
        call.cancel()
        raise
    value, error = found[0]
    if error:
        raise error
    return value
