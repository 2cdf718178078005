async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    return await call
