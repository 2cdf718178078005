import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    found = {}

    def on_result(value):
        if not found:
            found["value"] = value
        loop.call_soon_threadsafe(done.set)

    def on_error(error):
        if "value" not in found:
            found["error"] = error
        loop.call_soon_threadsafe(done.set)

    call.add_callbacks(on_result, on_error)
    try:
        await done.wait()
    except asyncio.CancelledError:
        call.cancel()
        raise
    if "error" in found:
        raise found["error"]
    return found["value"]
