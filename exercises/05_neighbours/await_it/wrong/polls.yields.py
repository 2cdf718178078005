import asyncio


class Waiting:
    def __init__(self, call):
        self.found = []
        call.add_callbacks(
            lambda v: self.found.append((v, None)), lambda e: self.found.append((None, e))
        )

    def __await__(self):
        while not self.found:
            yield
        v, e = self.found[0]
        if e:
            raise e
        return v


async def wait_for(call):
    try:
        return await Waiting(call)
    except asyncio.CancelledError:
        call.cancel()
        raise
