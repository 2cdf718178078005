import asyncio


def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    loop = asyncio.get_event_loop()
    future = loop.create_future()

    def finish(value=None, error=None):
        if future.done():
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    def watch(f):
        if f.cancelled():
            call.cancel()

    future.add_done_callback(watch)
    call.add_callbacks(
        lambda value: loop.call_soon_threadsafe(lambda: finish(value=value)),
        lambda error: loop.call_soon_threadsafe(lambda: finish(error=error)),
    )
    return future
