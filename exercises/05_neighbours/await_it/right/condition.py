import asyncio


async def wait_for(call):
    loop = asyncio.get_running_loop()
    condition = asyncio.Condition()
    box = []

    async def put(kind, what):
        async with condition:
            box.append((kind, what))
            condition.notify_all()

    call.add_callbacks(
        lambda v: asyncio.run_coroutine_threadsafe(put("v", v), loop),
        lambda e: asyncio.run_coroutine_threadsafe(put("e", e), loop),
    )
    try:
        async with condition:
            await condition.wait_for(lambda: box)
    except asyncio.CancelledError:
        call.cancel()
        raise
    kind, what = box[0]
    if kind == "e":
        raise what
    return what
