import asyncio

from tornado.websocket import WebSocketClosedError, WebSocketHandler


class Chat(WebSocketHandler):
    """Everybody in the room hears what somebody says."""

    def initialize(self, people):
        self.people = people

    def open(self):
        self.people.add(self)

    async def on_message(self, text):
        await asyncio.gather(*[self.tell(person, text) for person in self.people])

    async def tell(self, person, text):
        try:
            async with asyncio.timeout(0.5):
                await person.write_message(text)
        except (WebSocketClosedError, TimeoutError):
            self.people.discard(person)

    def on_close(self):
        self.people.discard(self)
