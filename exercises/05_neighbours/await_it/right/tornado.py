import asyncio

from tornado.concurrent import Future
from tornado.ioloop import IOLoop


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    future, loop = Future(), IOLoop.current()

    def done(how, what):
        if not future.done():
            how(what)

    call.add_callbacks(
        lambda value: loop.add_callback(done, future.set_result, value),
        lambda error: loop.add_callback(done, future.set_exception, error),
    )
    try:
        return await future
    except asyncio.CancelledError:
        call.cancel()
        raise
