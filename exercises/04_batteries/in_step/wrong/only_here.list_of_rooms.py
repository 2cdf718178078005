import asyncio


rooms = []


class Room:
    def __init__(self, broker, deliver):
        self.broker = broker
        self.deliver = deliver
        rooms.append(self)

    async def say(self, text):
        for room in rooms:
            room.deliver(text)

    async def listen(self):
        await asyncio.Event().wait()
