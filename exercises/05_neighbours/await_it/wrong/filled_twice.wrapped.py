import asyncio
import concurrent.futures


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    promise = concurrent.futures.Future()
    call.add_callbacks(promise.set_result, promise.set_exception)
    try:
        return await asyncio.wrap_future(promise)
    except asyncio.CancelledError:
        call.cancel()
        raise
