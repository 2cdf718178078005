import asyncio
import concurrent.futures


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    promise = concurrent.futures.Future()

    def on_result(value):
        if not promise.done():
            promise.set_result(value)

    def on_error(error):
        if not promise.done():
            promise.set_exception(error)

    call.add_callbacks(on_result, on_error)
    try:
        return await asyncio.wrap_future(promise)
    except asyncio.CancelledError:
        call.cancel()
        raise
