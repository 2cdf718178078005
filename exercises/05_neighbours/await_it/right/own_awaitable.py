import asyncio


class Waiting:
    def __init__(self, call):
        self.loop = asyncio.get_running_loop()
        self.future = self.loop.create_future()
        self.call = call
        call.add_callbacks(self.on_result, self.on_error)

    def on_result(self, value):
        self.loop.call_soon_threadsafe(self.fill, value, None)

    def on_error(self, error):
        self.loop.call_soon_threadsafe(self.fill, None, error)

    def fill(self, value, error):
        if self.future.done():
            return
        if error:
            self.future.set_exception(error)
        else:
            self.future.set_result(value)

    def __await__(self):
        try:
            return (yield from self.future.__await__())
        except asyncio.CancelledError:
            self.call.cancel()
            raise


async def wait_for(call):
    """Return the value of a call, or raise its exception; cancel it with whoever waits."""
    return await Waiting(call)
