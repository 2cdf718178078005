import asyncio


class Waiting:
    def __init__(self, call):
        self.future = asyncio.get_running_loop().create_future()
        call.add_callbacks(self.on_result, self.on_error)

    def on_result(self, value):
        if not self.future.done():
            self.future.set_result(value)

    def on_error(self, error):
        if not self.future.done():
            self.future.set_exception(error)

    def __await__(self):
        return self.future.__await__()


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    try:
        return await Waiting(call)
    except asyncio.CancelledError:
        call.cancel()
        raise
