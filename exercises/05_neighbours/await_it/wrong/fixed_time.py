import asyncio


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    loop = asyncio.get_running_loop()
    found = []
    call.add_callbacks(
        lambda value: found.append((value, None)), lambda error: found.append((None, error))
    )
    await asyncio.sleep(1)
    value, error = found[0] if found else (None, None)
    if error:
        raise error
    return value
