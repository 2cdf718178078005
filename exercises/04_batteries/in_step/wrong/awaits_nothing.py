import asyncio


class Room:
    def __init__(self, broker, deliver):
        self.broker = broker
        self.deliver = deliver

    async def say(self, text):
        await self.broker.add(text)

    async def listen(self):
        last = 0
        while True:
            try:
                for last, text in await self.broker.read(last):
                    await self.deliver(text)
            except ConnectionError:
                await asyncio.sleep(0.1)
