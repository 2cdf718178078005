import asyncio


class CallFuture(asyncio.Future):
    def __init__(self, call):
        super().__init__(loop=asyncio.get_running_loop())
        self.call = call
        call.add_callbacks(self._result, self._error)

    def _result(self, v):
        self.get_loop().call_soon_threadsafe(self._fill, self.set_result, v)

    def _error(self, e):
        self.get_loop().call_soon_threadsafe(self._fill, self.set_exception, e)

    def _fill(self, how, what):
        if not self.done():
            how(what)

    def cancel(self, msg=None):
        if not self.done():
            self.call.cancel()
        return super().cancel(msg)


async def wait_for(call):
    return await CallFuture(call)
