import asyncio
import threading


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    done = threading.Event()
    found = []

    def keep(value, error):
        found.append((value, error))
        done.set()

    call.add_callbacks(lambda value: keep(value, None), lambda error: keep(None, error))
    done.wait()
    value, error = found[0]
    if error:
        raise error
    return value
