import asyncio


class Room:
    def __init__(self, broker, deliver):
        self.broker = broker
        self.deliver = deliver

    async def say(self, text):
        await self.broker.add(text)

    async def listen(self):
        while True:
            try:
                last = await self.broker.last()
                for number, text in await self.broker.read(last):
                    self.deliver(text)
            except ConnectionError:
                await asyncio.sleep(0.1)
