import asyncio


class Room:
    """The room of one process; the others have rooms of their own, and the same broker."""

    def __init__(self, broker, deliver):
        self.broker = broker
        self.deliver = deliver
        self.seen = set()

    async def say(self, text):
        """Tell a text to the people of all processes."""
        await self.broker.add(text)

    async def listen(self):
        """Deliver what is said, in whichever process, until the task is cancelled."""
        last = 0
        while True:
            try:
                news = await self.broker.read(last)
            except ConnectionError:
                await asyncio.sleep(0.1)
                continue
            for id_, text in news:
                last = id_
                if text not in self.seen:
                    self.seen.add(text)
                    self.deliver(text)
