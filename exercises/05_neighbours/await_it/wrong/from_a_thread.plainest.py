import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    future = asyncio.Future()
    call.add_callbacks(future.set_result, future.set_exception)
    return await future
