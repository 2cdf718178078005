import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue()

    def put(kind, what):
        asyncio.run_coroutine_threadsafe(queue.put((kind, what)), loop)

    call.add_callbacks(lambda value: put("value", value), lambda error: put("error", error))
    try:
        kind, what = await queue.get()
    except asyncio.CancelledError:
        call.cancel()
        raise
    if kind == "error":
        raise what
    return what
