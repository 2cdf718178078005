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
                news = await self.broker.read(last)
            except ConnectionError:
                await asyncio.sleep(0.1)
                continue
            for _, text in news:
                self.deliver(text)
            last += len(news)
