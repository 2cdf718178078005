async def join(futures):
    return [await f for f in futures]
