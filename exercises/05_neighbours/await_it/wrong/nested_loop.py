import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    call.add_callbacks(future.set_result, future.set_exception)
    return loop.run_until_complete(future)
