import asyncio


class Room:
    def __init__(self, broker, deliver):
        self.broker = broker
        self.deliver = deliver
        self.last = 0

    async def say(self, text):
        await self.broker.add(text)

    async def listen(self):
        while True:
            try:
                news = await self.broker.read(self.last)
            except ConnectionError:
                await asyncio.sleep(0.1)
                continue
            for number, text in news:
                self.last = number
                self.deliver(text)
