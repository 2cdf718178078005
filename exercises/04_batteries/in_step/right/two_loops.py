import asyncio


class Room:
    def __init__(self, broker, deliver):
        self.broker = broker
        self.deliver = deliver

    async def say(self, text):
        return await self.broker.add(text)

    async def news(self):
        last = 0
        while True:
            try:
                while True:
                    for pair in await self.broker.read(last):
                        last = pair[0]
                        yield pair[1]
            except OSError:
                await asyncio.sleep(0.5)

    async def listen(self):
        async for text in self.news():
            self.deliver(text)
