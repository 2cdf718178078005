import asyncio


class Room:
    def __init__(self, broker, deliver):
        self.broker = broker
        self.deliver = deliver

    async def say(self, text):
        await self.broker.add(text)

    async def listen(self):
        last, pause = 0, 0.1
        while True:
            try:
                news = await self.broker.read(last)
            except Exception:
                await asyncio.sleep(pause)
                pause = min(2 * pause, 2)
            else:
                pause = 0.1
                for last, text in news:
                    self.deliver(text)
