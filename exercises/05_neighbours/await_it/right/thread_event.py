import asyncio
import threading


async def wait_for(call):
    event, found = threading.Event(), []

    def keep(kind, what):
        found.append((kind, what))
        event.set()

    call.add_callbacks(lambda v: keep("v", v), lambda e: keep("e", e))
    try:
        await asyncio.to_thread(event.wait)
    except asyncio.CancelledError:
        call.cancel()
        raise
    finally:
        event.set()
    kind, what = found[0]
    if kind == "e":
        raise what
    return what
