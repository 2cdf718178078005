import asyncio

futures = []


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    loop = asyncio.get_running_loop()
    futures.append(loop.create_future())

    def fill(method, what):
        if futures and not futures[0].done():
            getattr(futures.pop(0), method)(what)

    call.add_callbacks(
        lambda value: loop.call_soon_threadsafe(fill, "set_result", value),
        lambda error: loop.call_soon_threadsafe(fill, "set_exception", error),
    )
    try:
        return await futures[-1]
    except asyncio.CancelledError:
        call.cancel()
        raise
