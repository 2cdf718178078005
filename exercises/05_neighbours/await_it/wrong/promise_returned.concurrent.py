import asyncio
import concurrent.futures


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    promise = concurrent.futures.Future()

    def fill(how, what):
        if not promise.done():
            how(what)

    call.add_callbacks(
        lambda value: fill(promise.set_result, value),
        lambda error: fill(promise.set_exception, error),
    )
    return promise
