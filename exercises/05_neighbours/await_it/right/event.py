import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    results, errors = [], []

    def on_result(value):
        if not results and not errors:
            results.append(value)
        loop.call_soon_threadsafe(done.set)

    def on_error(error):
        if not results and not errors:
            errors.append(error)
        loop.call_soon_threadsafe(done.set)

    call.add_callbacks(on_result, on_error)
    try:
        await done.wait()
    except asyncio.CancelledError:
        call.cancel()
        raise
    if errors:
        raise errors[0]
    return results[0]
