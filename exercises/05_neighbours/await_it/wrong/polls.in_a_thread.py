import asyncio
import threading


async def wait_for(call):
    event, found = threading.Event(), []

    def keep(kind, what):
        found.append((kind, what))
        event.set()

    call.add_callbacks(lambda v: keep("v", v), lambda e: keep("e", e))
    try:
        while not event.is_set():
            await asyncio.to_thread(event.wait, 0.05)
    except asyncio.CancelledError:
        call.cancel()
        raise
    kind, what = found[0]
    if kind == "e":
        raise what
    return what
