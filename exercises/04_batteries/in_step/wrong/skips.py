import asyncio


class Room:
    def __init__(self, broker, deliver):
        self.broker = broker
        self.deliver = deliver

    async def say(self, text):
        await self.broker.add(text)

    async def listen(self):
        after = 0
        while True:
            try:
                news = await self.broker.read(after)
            except ConnectionError:
                await asyncio.sleep(0.1)
                continue
            for number, text in news:
                self.deliver(text)
            after = number + 1
