import asyncio


class Room:
    def __init__(self, broker, deliver):
        self.broker = broker
        self.deliver = deliver

    async def say(self, text):
        await self.broker.add(text)

    async def listen(self):
        seen = 0
        while True:
            try:
                if await self.broker.last() > seen:
                    for seen, text in await self.broker.read(seen):
                        self.deliver(text)
                await asyncio.sleep(0)
            except ConnectionError:
                await asyncio.sleep(0.1)
