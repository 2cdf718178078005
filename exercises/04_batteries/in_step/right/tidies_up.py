import asyncio


class Room:
    def __init__(self, broker, deliver):
        self.broker = broker
        self.deliver = deliver

    async def say(self, text):
        await self.broker.add(text)

    async def listen(self):
        seen = 0
        try:
            while True:
                try:
                    for id_, text in await self.broker.read(seen):
                        seen = max(seen, id_)
                        self.deliver(text)
                except ConnectionError as error:
                    print("again:", error)
                    await asyncio.sleep(0.2)
        except asyncio.CancelledError:
            print("done")
            raise
