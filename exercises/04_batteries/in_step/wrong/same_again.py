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
                for number, text in await self.broker.read(0):
                    self.deliver(text)
            except ConnectionError:
                await asyncio.sleep(0.1)
