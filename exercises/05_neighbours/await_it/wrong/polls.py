import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    found = []
    call.add_callbacks(
        lambda value: found.append((value, None)), lambda error: found.append((None, error))
    )
    try:
        while not found:
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        call.cancel()
        raise
    value, error = found[0]
    if error:
        raise error
    return value
